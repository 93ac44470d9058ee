import { testHttp1Clients } from '../support/http1-mode.js';

testHttp1Clients({ scheme: 'http', moveConnections: false });
