/** Line icons on a 16 px grid, drawn for this studio. */
const paths = {
  close: 'M4 4l8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  folder: 'M2 4.5h4l1.5 2H14v6.5H2z',
  file: 'M4 2h5l3 3v9H4zM9 2v3h3',
  photo: 'M2 3.5h12v9H2zM2 11l3.5-3.5 3 3 2-2L14 12M10.5 6.2h.01',
  undo: 'M6 4L3 7l3 3M3 7h6a3.5 3.5 0 010 7H7',
  redo: 'M10 4l3 3-3 3M13 7H7a3.5 3.5 0 000 7h2',
  play: 'M5 3.5v9l7-4.5z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  stop: 'M4 4h8v8H4z',
  export: 'M8 10V2M5 5l3-3 3 3M3 10v4h10v-4',
  camera: 'M2 5h3l1-1.5h4L11 5h3v8H2zM8 11a2.2 2.2 0 100-4.4A2.2 2.2 0 008 11',
  eye: 'M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 9.8a1.8 1.8 0 100-3.6 1.8 1.8 0 000 3.6',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  grid: 'M2.5 2.5h11v11h-11zM2.5 6.2h11M2.5 9.8h11M6.2 2.5v11M9.8 2.5v11',
  axes: 'M5 2v9h9M5 11l-3 3',
  moon: 'M13 9.5A5.5 5.5 0 016.5 3 5.5 5.5 0 1013 9.5z',
  sun: 'M8 10.8a2.8 2.8 0 100-5.6 2.8 2.8 0 000 5.6M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8L13 13M13 3l-1.2 1.2M4.2 11.8L3 13',
  search: 'M7 11.5a4.5 4.5 0 100-9 4.5 4.5 0 000 9M10.3 10.3L14 14',
  lock: 'M4 7.5h8V14H4zM5.5 7.5V5a2.5 2.5 0 015 0v2.5',
  power: 'M8 2v6M4.8 4.2a5 5 0 106.4 0',
  fly: 'M2 8l12-5-4 11-2.5-4.5z',
  up: 'M8 13V3M4 7l4-4 4 4',
  unfold: 'M3.5 10L8 5.5l4.5 4.5',
  down: 'M3.5 6l4.5 4.5L12.5 6',
  left: 'M10 3.5L5.5 8l4.5 4.5',
  right: 'M6 3.5L10.5 8 6 12.5',
  view: 'M2 4.5h7M13 4.5h1M2 11.5h1M7 11.5h7M11 6.3a1.8 1.8 0 100-3.6 1.8 1.8 0 000 3.6M5 13.3a1.8 1.8 0 100-3.6 1.8 1.8 0 000 3.6',
  settings:
    'M8 10.2a2.2 2.2 0 100-4.4 2.2 2.2 0 000 4.4M8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6L5 5M11 11l1.4 1.4M12.4 3.6L11 5M5 11l-1.4 1.4',
  warning: 'M8 2.5L14.5 13.5h-13zM8 6.5v3.2M8 11.7h.01',
  home: 'M2.5 7.5L8 2.8l5.5 4.7M4 6.5v7h8v-7',
  lasso:
    'M8 3c3.3 0 6 1.6 6 3.7S11.3 10.4 8 10.4 2 8.8 2 6.7 4.7 3 8 3zM4.5 9.8c-1 1.2.2 2 1 1.6.9-.5.4-1.6-.6-1.4M4.6 11.6c-.3 1-.9 1.5-1.8 1.9',
  rectangle: 'M2.5 4h11v8h-11z',
  brush: 'M13 3L7.5 8.5M7.5 8.5c-2-.6-3 .6-3.2 2.2-.1 1-.8 1.6-1.8 1.8 2.6 1 5.6-.2 5.3-2.6',
  pick: 'M8 2v4M8 10v4M2 8h4M10 8h4',
  trash: 'M3 4.5h10M6 4.5V3h4v1.5M4.5 4.5l.6 9h5.8l.6-9',
  wipe: 'M2.5 3.5h11v9h-11zM8 2v12M4.5 6h1.5M4.5 8.5h1.5',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
