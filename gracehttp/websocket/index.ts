export { type MoveWebSocketsOptions, moveWebSockets } from './move-web-sockets.js';
export type { WebSocketServerLike } from './web-socket.js';
