/** One figure, and what it should be. */
export interface Row {
  readonly what: string;
  readonly figure: number;
  readonly unit: string;
  readonly least?: number;
  readonly most?: number;
  readonly detail: string;
}

export function met({ figure, least, most }: Row): boolean {
  return (least === undefined || figure >= least) && (most === undefined || figure <= most);
}

export function lineOf(row: Row): string {
  const { what, figure, unit, least, most, detail } = row;
  const target = least !== undefined ? `at least ${least}` : most !== undefined ? `at most ${most}` : 'no target';
  const shown = figure >= 100 ? Math.round(figure) : Number(figure.toPrecision(3));
  return `${met(row) ? '    ' : 'MISS'} ${what}: ${shown} ${unit} (${target}); ${detail}`;
}
