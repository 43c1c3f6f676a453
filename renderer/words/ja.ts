export const japanese: Record<string, string> = {};
