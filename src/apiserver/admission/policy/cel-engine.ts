/** CEL with Kubernetes' libraries, loaded when the first expression needs it. */
export { type CelEngine, type CelOutcome, type CelProgram, loadCelEngine } from '../../../api/cel/engine.ts';
