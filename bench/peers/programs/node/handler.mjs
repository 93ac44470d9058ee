/** The handler of all Node.js programs: a small JSON object. */
export function handler(_request, response) {
  const body = answer();
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  response.end(body);
}

export function answer() {
  return JSON.stringify({ hello: 'world', pid: process.pid });
}
