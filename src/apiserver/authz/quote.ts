/** Go's `%q` of a string. */
export const quote = (text: string): string => JSON.stringify(text);
/** Go's `%q` of a list of strings: `["a" "b"]`. */
export const quoteList = (items: readonly string[]): string => `[${items.map(quote).join(' ')}]`;
