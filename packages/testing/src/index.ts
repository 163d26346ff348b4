export { type Match, type Recorder, recorder } from './recorder.ts';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.ts';
