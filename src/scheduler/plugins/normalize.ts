import { maxNodeScore } from '../framework.ts';

/** Scales scores so that the largest is 100; `reverse` makes the smallest best (plugins/helper/normalize_score.go). */
export function normalizeDefault(scores: number[], reverse: boolean): void {
  let max = 0;
  for (const score of scores) if (score > max) max = score;
  for (let i = 0; i < scores.length; i++) {
    if (max === 0) {
      if (reverse) scores[i] = maxNodeScore;
      continue;
    }
    const scaled = Math.trunc((maxNodeScore * (scores[i] ?? 0)) / max);
    scores[i] = reverse ? maxNodeScore - scaled : scaled;
  }
}
