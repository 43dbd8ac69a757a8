import type { Session, Results } from '../engine/engine.js';
import { FinetuneError } from '../errors.js';
import type { Params } from '../graph/params.js';
import { programName } from '../tasks/feeds.js';
import type { Model } from '../tasks/model.js';
import { isOver } from './best.js';
import { checkpointFile, findCheckpoint, saveCheckpoint, startSlots } from './checkpoint/checkpoint.js';
import { freezeReceipt } from './checkpoint/receipt.js';
import { firstState, type RunState } from './checkpoint/state.js';
import type { FeatureCache } from './features/featureCache.js';
import { describeFrozen, phaseAt } from './freeze.js';
import type { FreezeReceipt } from './log/record.js';
import { saveModel } from './modelWeights.js';
import { checkFinite, checkValues, explainNotFinite } from './notFinite.js';
import { openPhase, type OpenPhase } from './openPhase.js';
import type { TrainingPlan } from './planTraining.js';
import { learningRate } from './schedule.js';
import { valuesAt, type Setup } from './setup.js';
import { stepBatches, type BatchesOptions, type StepBatch } from './stepBatches.js';
import { stepFeeds } from './stepFeeds.js';

/** A run before the first of several batches of a step. These change nothing but the state and the statistics of BatchNorm. */
interface StepStart {
  readonly state: RunState;
  readonly statistics: Params;
}

/** A model in training: the session that holds its values, the state of the run, and its checkpoints. */
export class Trainer {
  readonly #setup: Setup;
  #phase: OpenPhase;
  /** Whether the session holds the values of `state.step`; not so after a step that failed. */
  #isSound = true;
  /** The step of the last checkpoint. */
  #saved: number;
  /** What the run goes back to if it ends now, between two batches of one step whose gradients each worker has summed up for
   *  itself; undefined where nothing of that kind is kept. */
  #stepStart: StepStart | undefined;
  readonly #ran = { steps: 0, milliseconds: 0 };

  constructor(
    setup: Setup,
    readonly state: RunState,
    phase: OpenPhase,
    /** Why the run resumes from the checkpoint before the last; undefined where it does not. */
    readonly instead: string | undefined,
  ) {
    this.#setup = setup;
    this.#phase = phase;
    this.#saved = state.step;
  }

  get model(): Model {
    return this.#setup.model;
  }
  /** Whether other workers train the same model. */
  get isShared(): boolean {
    return this.#setup.options.share.count > 1;
  }
  get plan(): TrainingPlan {
    return this.#setup.plan;
  }
  /** Each phase has a session and a cache of its own. */
  get session(): Session {
    return this.#phase.session;
  }
  get cache(): FeatureCache | undefined {
    return this.#phase.cache;
  }
  /** Whether a checkpoint would have everything that was computed: not so between two batches of one step of several
   *  workers. */
  get isWhole(): boolean {
    return this.#stepStart === undefined;
  }
  /** Whether the next batch only adds to the gradients of a step that takes several batches. The last step of an epoch takes
   *  those that are left. */
  get gathers(): boolean {
    const next = this.state.batch + 1;
    return next % this.#setup.options.accumulate !== 0 && next !== this.plan.schedule.stepsPerEpoch;
  }

  /** The batches from the next step to the end of its epoch. */
  batches(loading: BatchesOptions = {}): AsyncGenerator<StepBatch, void, undefined> {
    return stepBatches({ ...this.#setup, state: this.state, cache: this.cache }, loading);
  }

  /** Call it before the steps of an epoch: opens the phase that begins there, if one does, and returns a message about
   *  it. */
  async enterEpoch(): Promise<string | undefined> {
    const { freeze } = this.#setup.options;
    const due = phaseAt(this.state.epoch, freeze);
    if (due === this.state.thawed) return undefined;
    // Parameters that were trained before keep their slots; those that thaw get new ones.
    const { slots, stages } = this.plan.phases[due]!;
    const kept = await this.#values();
    await this.#openPhase(due, new Map([...startSlots(slots, kept), ...kept]));
    return `after ${this.state.epoch} epochs, frozen stages: ${describeFrozen(stages)}`;
  }

  /** Trains on one batch, at the schedule's learning rate or a given one. Throws E_LOSS_NOT_FINITE with the files of
   *  the images. */
  async step(
    batch: StepBatch,
    lr = this.#scheduledRate(),
  ): Promise<{ readonly results: Results; readonly lr: number }> {
    const { state } = this;
    const { model, options } = this.#setup;
    const { gathers } = this;
    const inputs = { state, lr: gathers ? undefined : lr };
    const [first, ...others] = await stepFeeds(batch, this.#setup, this.#phase, inputs);
    const begin = performance.now();
    this.#isSound = false;
    if (gathers && this.#phase.plan.keepsSums) this.#stepStart ??= await this.#startStep();
    const program = programName(gathers ? 'gather' : 'train', batch.size, model.task);
    const results = await this.session.run(program, first!, others);
    checkFinite(
      results,
      state.step + 1,
      [batch, ...batch.others].flatMap(({ samples }) => samples),
    );
    this.#isSound = true;
    this.#ran.steps++;
    this.#ran.milliseconds += performance.now() - begin;
    state.step++;
    if (!gathers) this.#stepStart = undefined;
    if (!gathers && options.ema) state.averaged++;
    state.batch++;
    state.lossSum += results.loss![0]!;
    return { results, lr };
  }

  /** Saves the state of the run; between two batches of one step of several workers, that before the step. Throws
   *  E_LOSS_NOT_FINITE, and leaves the checkpoint before it in place, if a value is not finite. */
  async saveLast(): Promise<void> {
    const { model, options } = this.#setup;
    await this.#leaveStep();
    const values = await this.#soundValues();
    await saveCheckpoint(options.directory, model, values, this.#phase.plan.slots, this.state);
    this.#saved = this.state.step;
  }

  /** Call it before an evaluation. Throws E_LOSS_NOT_FINITE if a value is not finite. */
  async checkValues(): Promise<void> {
    await this.#soundValues();
  }

  /** Call it when the values of the session turn out to be of no use, so that `saveSound` does not keep them. */
  giveUp(): void {
    this.#isSound = false;
  }

  /** Saves the steps since the last checkpoint, unless the last one failed or left values that are not finite: for the
   *  way out after an error. */
  async saveSound(): Promise<void> {
    if (!this.#isSound || this.state.step === this.#saved) return;
    await this.saveLast().catch((error: unknown) => {
      if (this.#isSound) throw error;
    });
  }

  async saveBest(): Promise<void> {
    const model = await this.presentModel();
    checkValues(model.params, this.state.step);
    await saveModel(model, checkpointFile(this.#setup.options.directory, 'best'));
  }

  /** The model with its present values, averaged where the run keeps averages. */
  async presentModel(): Promise<Model> {
    return { ...this.model, params: await this.#parameters({ averaged: true }) };
  }

  /** Goes back to the last checkpoint, or to the start where there is none. */
  async rewind(): Promise<void> {
    const last = await findCheckpoint(this.#setup.options.directory);
    const state = last?.state ?? firstState(this.#setup.recipe, this.#setup.options.share.count);
    const { params } = await valuesAt(last, this.#setup);
    if (state.thawed === this.state.thawed) await this.#phase.write(params);
    else await this.#openPhase(state.thawed, params);
    Object.assign(this.state, state);
    this.#stepStart = undefined;
    this.#isSound = true;
  }

  /** Says where the numbers of the next step stop being finite. */
  async explainNextStep(signal?: AbortSignal): Promise<string> {
    const { model, backend, options } = this.#setup;
    for await (const batch of this.batches({ signal, prefetch: 1, allPixels: true })) {
      const plan = this.#phase.plan.freeze;
      return explainNotFinite(model, await this.#parameters(), batch, backend, { batch: options.batch, plan });
    }
    throw new FinetuneError({ code: 'E_INTERNAL', message: 'internal: the epoch has no further batch' });
  }

  /** Compares the last checkpoint and the engine's constants with freeze.json; undefined if nothing is frozen.
   *  Throws E_FREEZE_BROKEN. */
  async freezeReceipt(): Promise<FreezeReceipt | undefined> {
    const { plan, options } = this.#setup;
    if (plan.frozen.length === 0) return undefined;
    const { params } = await valuesAt(await findCheckpoint(options.directory), this.#setup);
    const derived = this.#phase.plan.programs.derive(params);
    return freezeReceipt(options.directory, derived, await this.#phase.readFolded([...derived.keys()]));
  }

  /** Remarks for the end of a run, a sentence each. */
  notes(): string[] {
    const { steps, milliseconds } = this.#ran;
    return this.cache ? [this.cache.report(milliseconds / Math.max(steps, 1))] : [];
  }

  async dispose(): Promise<void> {
    await this.#phase.dispose({ keep: !isOver(this.state, this.#setup.options) });
  }

  #scheduledRate(): number {
    const { schedule, phases } = this.plan;
    return learningRate(this.state.step, schedule, this.state.plateau) * phases[this.state.thawed]!.lr;
  }

  async #startStep(): Promise<StepStart> {
    const statistics = [...this.model.parameters].filter(([, { role }]) => role === 'mean' || role === 'variance');
    return { state: { ...this.state }, statistics: await this.#phase.read(statistics.map(([name]) => name)) };
  }

  /** Goes back to the beginning of a step of which not all batches are done. */
  async #leaveStep(): Promise<void> {
    if (!this.#stepStart) return;
    await this.#phase.write(this.#stepStart.statistics);
    Object.assign(this.state, this.#stepStart.state);
    this.#stepStart = undefined;
  }

  #parameters(options?: { readonly averaged: boolean }): Promise<Params> {
    return this.#phase.read([...this.model.parameters.keys()], options);
  }

  /** The model's parameters, then the slots. */
  async #values(): Promise<Params> {
    const slots = [...this.#phase.plan.slots.keys()];
    return new Map([...(await this.#parameters()), ...(await this.#phase.read(slots))]);
  }

  /** The model's parameters and the slots, all of them finite. */
  async #soundValues(): Promise<Params> {
    const values = await this.#values();
    this.#isSound = false; // until the check has passed
    checkValues(values, this.state.step);
    this.#isSound = true;
    return values;
  }

  async #openPhase(index: number, values: Params): Promise<void> {
    const { plan, data, backend, options } = this.#setup;
    await this.#phase.dispose();
    this.state.thawed = index;
    this.#phase = await openPhase(plan.phases[index]!, values, data, backend, options);
  }
}
