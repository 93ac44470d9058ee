import { Crowd } from './crowd.js';
import { Journal } from './journal.js';
import { Line } from './line.js';
import { type FromServer, type Notice } from './messages.js';
import { Recording } from './recording.js';
import { MOST_SLOW, Requests } from './requests.js';
import { tell } from './story.js';
import { Timeline } from './timeline.js';

const PING_EVERY_MS = 100;
const SHOW_EVERY_MS = 100;

const byId = <E extends HTMLElement = HTMLElement>(id: string): E => document.getElementById(id) as E;

const recording = new Recording();
const { processes } = recording;
const requests = new Requests(recording);
const crowd = new Crowd(recording, byId('crowd-dots'));
const journal = new Journal(byId('log'), processes);
const slowButton = byId<HTMLButtonElement>('slow');
let reached = false;
let generation = 0;

new Line({
  path: '/socket',
  every: PING_EVERY_MS,
  onMessage: hear,
  onLost: () => {
    reached = false;
    recording.disconnected();
  },
});
new Timeline(byId<HTMLCanvasElement>('timeline'), recording).run();
requests.keepAsking();
setInterval(show, SHOW_EVERY_MS);

function hear(message: FromServer): void {
  reached = true;
  if (message.type === 'notice') return note(message.notice, message.now);
  recording.heard(message.pid);
  if (message.type === 'pong') return;
  for (const notice of message.history) note(notice, message.now);
  processes.greet(message.pid, message.generation);
  generation = message.generation;
}

/** @param now - the time at the server when it told this. */
function note(notice: Notice, now: number): void {
  const ago = now - notice.at;
  if (processes.note(notice, performance.now() - ago)) journal.add(notice, new Date(Date.now() - ago));
}

function show(): void {
  const { answers, lost, reconnects } = recording;
  write('answers', answers.toLocaleString('en'));
  write('lost', String(lost), lost > 0);
  write('reconnects', String(reconnects), reconnects > 0);
  write('generation', reached ? String(generation) : '–');
  write('pid', String(processes.serving?.pid ?? 'pid'));
  write('crowd-open', String(crowd.connected));
  const { text, bad } = tell(processes, reached);
  write('status', text, bad);
  slowButton.disabled = requests.slow >= MOST_SLOW;
}

/** Screen readers read a status again each time that it is written. */
function write(id: string, text: string, bad = false): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
  element.classList.toggle('bad', bad);
}

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-release]')) {
  button.onclick = () => void requests.restart(button.dataset['release']!);
}
slowButton.onclick = () => void requests.askSlowly();
byId('crowd').onclick = () => {
  crowd.toggle();
  byId('crowd-section').hidden = !crowd.isOpen;
  byId('crowd').setAttribute('aria-pressed', String(crowd.isOpen));
  byId('crowd').firstElementChild!.textContent = crowd.isOpen ? 'Close the 100 WebSockets' : 'Open 100 WebSockets';
};

document.addEventListener('keydown', ({ key, ctrlKey, metaKey, altKey, repeat }) => {
  if (ctrlKey || metaKey || altKey || repeat) return;
  const button = [...document.querySelectorAll<HTMLButtonElement>('button')].find(
    (one) => one.getAttribute('aria-keyshortcuts') === key.toLowerCase(),
  );
  button?.click();
});
