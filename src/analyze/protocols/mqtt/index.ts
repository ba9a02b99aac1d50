import type { StreamProtocol } from '../protocol.ts';
import { MqttConnection } from './connection.ts';
import { mqttLikeness } from './packet.ts';

/** MQTT 3.1, 3.1.1 and 5.0 (OASIS). */
export const mqtt: StreamProtocol = {
  name: 'mqtt',
  title: 'MQTT',
  ports: [1883],
  fields: {
    'mqtt.type': { type: 'string', about: 'packet: `PUBLISH`, `CONNECT`, `SUBSCRIBE`' },
    'mqtt.topic': { type: 'string', about: 'topic of the message, or first topic filter of a subscription' },
    'mqtt.qos': { type: 'int', about: 'quality of service of the message' },
    'mqtt.packetId': { type: 'int', about: 'number that the answer repeats' },
    'mqtt.clientId': { type: 'string', about: 'client identifier of a CONNECT' },
    'mqtt.version': { type: 'string', about: '`3.1`, `3.1.1` or `5`, of a CONNECT' },
    'mqtt.code': { type: 'int', about: 'reason or return code of a failure' },
    'mqtt.error': { type: 'string', about: "the failure's words, and the server's own where it sends some" },
  },
  probe: mqttLikeness,
  create: (context) => new MqttConnection(context),
};
