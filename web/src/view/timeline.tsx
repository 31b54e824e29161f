// The timeline under every dashboard: play, backwards, speed, loop, the way back to live, and the overlay.

import { useComputed } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { TimelinePanel } from '../chart/timeline-panel';
import { goLive, kiosk, live, loopOf, pause, play, playOn, rate, view } from '../state/app';
import { bounds, RATES } from '../state/window';
import { say } from '../text/timeline';
import { formatNumber } from './format';
import { LoopIcon, PauseIcon, PlayIcon, ReverseIcon } from './icons';
import { OverlayButton } from './overlay';
import './timeline.css';

function Buttons() {
  const mode = useComputed(() => view.value.mode);
  const direction = useComputed(() => (view.value.mode === 'play' ? Math.sign(view.value.rate) : 0));
  const looped = useComputed(() => loopOf(view.value) !== null);
  const playing = mode.value === 'play';
  const backwards = direction.value < 0;
  const toggleLoop = () => {
    const { from, to } = bounds(view.peek(), live.clock.now());
    const pace = backwards ? -rate.peek() : rate.peek();
    play(pace, looped.peek() ? null : { from, to });
  };
  return (
    <div class="transport" role="group" aria-label={say('timeline.label')}>
      <button
        type="button"
        class="icon-button"
        aria-pressed={backwards}
        title={say('timeline.reverse')}
        aria-label={say('timeline.reverse')}
        data-testid="reverse"
        onClick={() => (backwards ? pause() : play(-rate.peek()))}
      >
        <ReverseIcon />
      </button>
      <button
        type="button"
        class="icon-button play"
        aria-pressed={playing}
        title={say(playing ? 'timeline.pause' : 'timeline.play')}
        aria-label={say(playing ? 'timeline.pause' : 'timeline.play')}
        data-testid="play"
        onClick={() => (playing ? pause() : playOn(rate.peek()))}
      >
        {playing ? <PauseIcon /> : <PlayIcon />}
      </button>
      <select
        class="rate"
        aria-label={say('timeline.rate')}
        title={say('timeline.rate')}
        data-testid="rate-select"
        value={String(rate.value)}
        onChange={(event) => {
          const pace = Number(event.currentTarget.value);
          rate.value = pace;
          if (view.peek().mode === 'play') play(backwards ? -pace : pace);
        }}
      >
        {[...new Set([...RATES, rate.value])]
          .sort((a, b) => a - b)
          .map((pace) => (
            <option key={pace} value={String(pace)}>
              {say('timeline.rateOf', { rate: formatNumber(pace) })}
            </option>
          ))}
      </select>
      <button
        type="button"
        class="icon-button"
        aria-pressed={looped.value}
        title={say(looped.value ? 'timeline.unloop' : 'timeline.loop')}
        aria-label={say(looped.value ? 'timeline.unloop' : 'timeline.loop')}
        data-testid="loop"
        onClick={toggleLoop}
      >
        <LoopIcon />
      </button>
    </div>
  );
}

function Track() {
  const track = useRef<HTMLDivElement>(null);
  const thumb = useRef<HTMLDivElement>(null);
  const clock = useRef<HTMLElement>(null);
  const begin = useRef<HTMLElement>(null);
  const end = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!track.current || !thumb.current || !clock.current || !begin.current || !end.current) return undefined;
    const panel = new TimelinePanel({
      track: track.current,
      thumb: thumb.current,
      clock: clock.current,
      begin: begin.current,
      end: end.current,
    });
    return () => panel.destroy();
  }, []);
  return (
    <>
      <div class="track-box">
        <div class="time-track" ref={track} data-testid="timeline">
          <div
            class="thumb"
            ref={thumb}
            role="slider"
            tabIndex={0}
            aria-label={say('timeline.thumb')}
            aria-valuenow={0}
            data-grip="whole"
            data-testid="thumb"
          >
            <i data-grip="from" />
            <i data-grip="to" />
          </div>
        </div>
        <div class="track-ends" aria-hidden="true">
          <small ref={begin} />
          <small ref={end} />
        </div>
      </div>
      <output class="head-clock" data-testid="head-clock">
        <b ref={clock} />
      </output>
    </>
  );
}

export function Timeline() {
  const isLive = useComputed(() => view.value.mode === 'live');
  if (kiosk) return null;
  return (
    <section class="timeline" aria-label={say('timeline.label')}>
      <Buttons />
      <Track />
      <OverlayButton />
      <button
        type="button"
        class={isLive.value ? 'to-live on' : 'to-live'}
        aria-pressed={isLive.value}
        title={say('timeline.goLive')}
        data-testid="to-live"
        onClick={() => goLive()}
      >
        <i class="pulse" />
        {say('timeline.live')}
      </button>
    </section>
  );
}
