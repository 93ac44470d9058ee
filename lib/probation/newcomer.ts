import { type Carried } from '../inherit/carried.js';
import { type FromNewcomer, PROBATION, readFromStandby, readTerms } from './messages.js';
import { giveSigns } from './silence.js';

/** How long the old process may take to answer. It does so at once, if it is not busy. */
const PATIENCE_MS = 2_000;

/** With the old process. */
type Conversation = Pick<Carried, 'get' | 'hear' | 'ask'>;

/** The new process after a hand-over: it gives signs of life, and may say that it is broken. */
export class Newcomer {
  readonly #carried: Conversation;
  /** Called when the old process has let go: until then it may wait for a sign. */
  readonly #stopSigns: () => void;
  readonly #timer: NodeJS.Timeout;
  readonly #onOver: () => void;
  #active = true;
  /** Whether the old process may still serve again. It ends the probation itself, maybe later than this process does. */
  #standsBy = true;
  #answered: (accepts: boolean) => void = () => undefined;

  /**
   * Undefined if there is no probation.
   *
   * @param onAccepts - called when the old process accepts again.
   * @param onOver - called when this process is not on probation any more.
   */
  static begin(carried: Conversation, onAccepts: () => void, onOver: () => void): Newcomer | undefined {
    const terms = readTerms(carried.get(PROBATION));
    if (terms === undefined) return undefined;
    return new Newcomer(carried, terms, onAccepts, onOver);
  }

  private constructor(
    carried: Conversation,
    { time, hang }: { readonly time: number; readonly hang: number },
    onAccepts: () => void,
    onOver: () => void,
  ) {
    this.#carried = carried;
    this.#onOver = onOver;
    this.#stopSigns = hang === 0 ? () => undefined : giveSigns(hang, () => this.#say({ type: 'beat' }));
    this.#timer = setTimeout(() => this.#end(), time).unref();
    const onNews = (value: unknown): void => {
      const accepts = readFromStandby(value)?.type === 'accepts';
      this.#onAnswer(accepts);
      if (accepts) onAccepts();
    };
    const onGone = (): void => this.#onAnswer(false);
    if (!carried.hear(PROBATION, onNews, onGone)) onGone();
  }

  get active(): boolean {
    return this.#active;
  }

  /** Says that this process is broken. Fulfils with whether the old one serves again. */
  fail(reason: string): Promise<boolean> {
    return this.#ask({ type: 'fail', reason });
  }

  /** Says that the old process is not needed any more. Fulfils when it has let the sockets go. */
  async dismiss(): Promise<void> {
    await this.#ask({ type: 'over' });
  }

  #ask(message: FromNewcomer): Promise<boolean> {
    // An old process that has let go hears it too: a stop ends the time in which both accept.
    if (!this.#say(message) || !this.#standsBy) return Promise.resolve(false);
    return new Promise((done) => {
      const timer = setTimeout(() => this.#answered(false), PATIENCE_MS);
      const before = this.#answered;
      this.#answered = (accepts) => {
        clearTimeout(timer);
        before(accepts);
        done(accepts);
      };
    });
  }

  /** The old process serves again, or never will. */
  #onAnswer(accepts: boolean): void {
    this.#standsBy = false;
    this.#stopSigns();
    this.#end();
    this.#answered(accepts);
  }

  #say(message: FromNewcomer): boolean {
    return this.#carried.ask(PROBATION, message);
  }

  #end(): void {
    if (!this.#active) return;
    this.#active = false;
    clearTimeout(this.#timer);
    this.#onOver();
  }
}
