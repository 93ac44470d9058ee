/** The demo's page: buttons that send requests of several durations, and the process that answered each. */
export function page(name: string, pid: number, started: Date): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ts-grace: ${name}</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; }
  button { font: inherit; margin: 0 .5rem .5rem 0; padding: .3rem .8rem; }
  code, li { font-family: ui-monospace, monospace; }
  .waiting { color: #888; } .lost { color: #c00; }
</style>
<h1>${name}</h1>
<p>This page came from process <code>${pid}</code>, started at ${started.toISOString()}.
Send a slow request, run <code>kill -USR2 ${pid}</code> in a terminal, send a quick one:
the old process answers the first, the new process answers the second, and no request is lost.</p>
<p>${['0', '300ms', '3s', '20s'].map((text) => `<button value="${text}">${text}</button>`).join('')}</p>
<ol></ol>
<script>
  const list = document.querySelector('ol');
  for (const button of document.querySelectorAll('button')) {
    button.onclick = async () => {
      const item = list.appendChild(document.createElement('li'));
      item.className = 'waiting';
      item.textContent = button.value + ' ...';
      try {
        const answer = await fetch('/sleep/?duration=' + button.value);
        item.textContent = await answer.text();
        item.className = '';
      } catch (error) {
        item.textContent = button.value + ': lost, ' + error.message;
        item.className = 'lost';
      }
    };
  }
</script>
</html>
`;
}
