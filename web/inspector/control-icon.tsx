/** The icons of the controls of a history and of a chart: paths on a grid of 24. What they stand for is said in words. */

const paths = {
  first: 'M7 6v12M18 6l-7 6 7 6',
  back: 'M15 6l-7 6 7 6',
  play: 'M8 5.5v13l10-6.5-10-6.5Z',
  pause: 'M9 6v12M15 6v12',
  forward: 'M9 6l7 6-7 6',
  last: 'M17 6v12M6 6l7 6-7 6',
  closer: 'M12 6v12M6 12h12',
  farther: 'M6 12h12',
  whole: 'M5 9V5h4M19 9V5h-4M5 15v4h4M19 15v4h-4',
} as const;

export function ControlIcon({ name }: { readonly name: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
