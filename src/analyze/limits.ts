/** Layers decoded of one packet: past any sane nesting of tags, extension headers and tunnels. */
export const LAYERS_MAXIMUM = 32;
