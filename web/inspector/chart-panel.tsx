/** The statechart of an actor with the state that is shown lit, and the transition that led to it. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Attempt, StateValue } from '../../src/inspect/answers.ts';
import { ChartCanvas } from './chart-canvas.ts';
import type { Drawing } from './chart-drawing.ts';
import { listenToGestures } from './chart-gestures.ts';
import { ControlIcon } from './control-icon.tsx';
import { stateText } from './machine-words.ts';
import { Panel } from './words.tsx';

const zoomStep = 1.35;

/** The drawing, or the sentence that says why there is none; undefined while it is made. */
function useDrawing(definition: unknown): Drawing | string | undefined {
  const [made, setMade] = useState<{ readonly of: unknown; readonly is: Drawing | string }>();
  useEffect(() => {
    if (typeof definition !== 'object' || definition === null) return;
    let isCurrent = true;
    // Whoever looks at no chart loads neither ELK nor XState.
    import('./chart-drawing.ts')
      .then(({ drawingOf }) => drawingOf(definition))
      .catch((error: unknown) => `The chart cannot be drawn: ${error instanceof Error ? error.message : String(error)}`)
      .then((is) => isCurrent && setMade({ of: definition, is }));
    return () => {
      isCurrent = false;
    };
  }, [definition]);
  return made?.of === definition ? made?.is : undefined;
}

export interface ChartPanelProps {
  readonly definition: unknown;
  readonly value: StateValue | undefined;
  /** The transitions that led here. */
  readonly taken: readonly string[] | undefined;
  readonly version: number;
  /** What is tried from here: its transitions are lit instead. */
  readonly attempt: Attempt | undefined;
}

function useCanvas({ definition, value, taken, version, attempt }: ChartPanelProps) {
  const drawing = useDrawing(definition);
  const panel = useRef<HTMLDivElement>(null);
  const canvas = useRef<ChartCanvas>();
  const lastVersion = useRef(version);
  useEffect(() => {
    const element = panel.current;
    if (element === null || drawing === undefined || typeof drawing === 'string') return;
    canvas.current = new ChartCanvas(element, drawing);
    const leaving = new AbortController();
    listenToGestures(element, () => canvas.current, leaving.signal);
    const sizes = new ResizeObserver(() => canvas.current?.resize());
    sizes.observe(element);
    return () => {
      leaving.abort();
      sizes.disconnect();
      canvas.current?.close();
      canvas.current = undefined;
    };
  }, [drawing]);
  useEffect(() => {
    if (drawing === undefined || typeof drawing === 'string' || value === undefined) return;
    const isMoving = version === lastVersion.current + 1 || attempt !== undefined;
    lastVersion.current = version;
    const active = drawing.active(attempt?.accepted === true ? attempt.value : value);
    const refused = attempt?.refusal?.candidates.map(({ transition }) => transition) ?? [];
    canvas.current?.light({ active, taken: attempt === undefined ? (taken ?? []) : attempt.taken, refused }, isMoving);
  }, [drawing, value, taken, version, attempt]);
  return { drawing, panel, canvas };
}

export function ChartPanel(props: ChartPanelProps) {
  const { value, attempt } = props;
  const { drawing, panel, canvas } = useCanvas(props);
  const isDrawn = drawing !== undefined && typeof drawing !== 'string';
  const controls = (
    <div class="chart-controls">
      {attempt === undefined ? null : <span class="chip past">what if</span>}
      <button type="button" class="icon-button" aria-label="Closer" onClick={() => canvas.current?.zoom(zoomStep)}>
        <ControlIcon name="closer" />
      </button>
      <button type="button" class="icon-button" aria-label="Farther" onClick={() => canvas.current?.zoom(1 / zoomStep)}>
        <ControlIcon name="farther" />
      </button>
      <button type="button" class="icon-button" aria-label="The whole chart" onClick={() => canvas.current?.whole()}>
        <ControlIcon name="whole" />
      </button>
    </div>
  );
  return (
    <Panel title="Statechart" id="chart" actions={controls} class="chart">
      <div class="chart-frame">
        {/* biome-ignore lint/a11y/useSemanticElements: it is an image that is moved by keys. */}
        <div
          ref={panel}
          class={value === undefined ? 'chart-box is-unlit' : 'chart-box'}
          role="group"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved by keys.
          tabIndex={0}
          aria-label={`Statechart${value === undefined ? '' : `, in ${stateText(value)}`}. Arrow keys move it, plus and minus bring it closer or farther, 0 shows all of it.`}
        />
        {isDrawn ? null : (
          <p class="chart-note" role="status">
            {drawing ?? 'Drawing…'}
          </p>
        )}
      </div>
    </Panel>
  );
}
