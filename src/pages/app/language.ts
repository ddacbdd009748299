// German or English: as chosen here before, else as the server took it from the browser (<html lang>).
export type Language = "de" | "en";

const kept = "siegel-language";  // the only thing that the pages keep in the browser
let current: Language = document.documentElement.lang === "en" ? "en" : "de";

try {
  const chosen = localStorage.getItem(kept);
  if (chosen === "de" || chosen === "en") current = chosen;
} catch {
  // a browser that keeps nothing
}
document.documentElement.lang = current;

export function language(): Language {
  return current;
}

export function choose(chosen: Language): void {
  current = chosen;
  document.documentElement.lang = chosen;
  try {
    localStorage.setItem(kept, chosen);
  } catch {
    // then it holds until the page is left
  }
}

// {"de":"Kontakte"} in the language of the page, or in any.
export function titled(titles: Record<string, string> | undefined, name: string): string {
  return titles?.[current] || titles?.["de"] || titles?.["en"] || Object.values(titles ?? {})[0] || name;
}
