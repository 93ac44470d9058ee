import { type Notice } from './messages.js';
import { cssColour } from './palette.js';
import { type Processes } from './processes.js';

const LONGEST = 30;

/** The list of what the processes said, newest first. */
export class Journal {
  readonly #list: HTMLElement;
  readonly #processes: Processes;

  constructor(list: HTMLElement, processes: Processes) {
    this.#list = list;
    this.#processes = processes;
  }

  /** @param when - by the clock of this machine. */
  add({ what, pid, text }: Notice, when: Date): void {
    if (text === undefined) return;
    const item = document.createElement('li');
    const time = item.appendChild(document.createElement('time'));
    time.textContent = when.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
    const who = item.appendChild(document.createElement('b'));
    who.textContent = String(pid);
    who.style.color = cssColour(this.#processes.colourOf(pid));
    item.appendChild(document.createElement('span')).textContent = what === 'restart-failed' ? `The new release said: ${text}` : text;
    this.#list.prepend(item);
    while (this.#list.children.length > LONGEST) this.#list.lastChild!.remove();
  }
}
