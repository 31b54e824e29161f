// The few pictograms, drawn inline so that they take the colour of the text.

function Icon({ path }: { path: string }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path
        d={path}
        fill="none"
        stroke="currentColor"
        stroke-width="1.6"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

export const PauseIcon = () => <Icon path="M5.5 3.5v9M10.5 3.5v9" />;
export const PlayIcon = () => <Icon path="M5 3.2v9.6l7.5-4.8z" />;
export const ReverseIcon = () => <Icon path="M11 3.2v9.6L3.5 8z" />;
export const LoopIcon = () => (
  <Icon path="M3 9V7a3 3 0 0 1 3-3h7M10.8 1.8 13 4l-2.2 2.2M13 7v2a3 3 0 0 1-3 3H3M5.2 14.2 3 12l2.2-2.2" />
);
export const OverlayIcon = () => (
  <Icon path="M1.5 10c2-6 4-6 6 0s4 6 7 0M1.5 5.5h1.6M5 5.5h1.6M8.5 5.5h1.6M12 5.5h1.6" />
);
export const TableIcon = () => <Icon path="M2.5 3h11v10h-11zM2.5 6.4h11M2.5 9.7h11M6.5 3v10" />;
export const PlusIcon = () => <Icon path="M8 3v10M3 8h10" />;
export const UndoIcon = () => <Icon path="M5.5 3.5 2.5 6.5l3 3M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6" />;
export const RedoIcon = () => <Icon path="M10.5 3.5l3 3-3 3M13 6.5H6.5a3.5 3.5 0 0 0 0 7H10" />;
export const CopyIcon = () => <Icon path="M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3" />;
export const TrashIcon = () => <Icon path="M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9" />;
export const EditIcon = () => <Icon path="M3 13l.6-2.8L10.8 3 13 5.2l-7.2 7.2zM9.3 4.5l2.2 2.2" />;
export const GripIcon = () => <Icon path="M6 3.5h.01M10 3.5h.01M6 8h.01M10 8h.01M6 12.5h.01M10 12.5h.01" />;
export const HelpIcon = () => <Icon path="M2.5 4.5h11v7h-11zM5 7h.01M8 7h.01M11 7h.01M5.5 9.3h5" />;
export const BackIcon = () => <Icon path="M6.5 4 2.5 8l4 4M3 8h7a3 3 0 0 1 3 3" />;
export const SunIcon = () => (
  <Icon path="M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7" />
);
export const MoonIcon = () => <Icon path="M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6z" />;
export const SystemIcon = () => <Icon path="M2.5 3.5h11v7h-11zM6 13h4M8 10.5V13" />;

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 26 16" width="26" height="16" aria-hidden="true" focusable="false">
      <path
        d="M1 10h4.5l2.7-7 4.6 11 3.4-8 1.8 4H25"
        fill="none"
        stroke="currentColor"
        stroke-width="2.2"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

/** Of every screen that the texts have a title for. */
const SCREEN_PATHS = {
  live: 'M1.5 9h2.7l1.7-5 2.8 8 2.2-6 1.2 3h2.4',
  explore: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3l3.4 3.4M5.2 7h3.6',
  files: 'M3.5 1.8h5.3l3.7 3.7v8.7h-9zM8.6 2v3.7h3.7M5.6 8.6h4.8M5.6 11.2h4.8',
  build: 'M2 2.5h5v6H2zM9.5 2.5H14v3.2H9.5zM9.5 8.2H14v5.3H9.5zM2 11h5v2.5H2z',
  devices:
    'M4.5 4.5h7v7h-7zM6.5 1.8v2.7M9.5 1.8v2.7M6.5 11.5v2.7M9.5 11.5v2.7M1.8 6.5h2.7M1.8 9.5h2.7M11.5 6.5h2.7M11.5 9.5h2.7',
  streams: 'M1.8 4.2h8.4M12.2 4.2h2M1.8 8h3.4M7.2 8h7M1.8 11.8h6.4M10.2 11.8h4',
  self: 'M2.2 11.8a6.3 6.3 0 1 1 11.6 0M8 9.2l2.6-3.6M8 9.2h.01',
};

export function ScreenIcon({ screen }: { screen: keyof typeof SCREEN_PATHS }) {
  return <Icon path={SCREEN_PATHS[screen]} />;
}
