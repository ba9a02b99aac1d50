import { isObject } from '../../wire/guard.ts';

/** What is not of the shape it should have. Caught where the block was read: never seen by users. */
export class WrongShape extends Error {}

/**
 * How values of one analysis become those of another: times count from its first packet, hosts and interfaces have its numbers.
 * Written blocks have addresses as text and times that count from the block's own.
 */
export interface Translation {
  /** Added to every time, ns. */
  readonly shift: number;
  host(value: unknown): unknown;
  /** @returns undefined for an interface that is not known */
  interfaceId(value: number): number | undefined;
}

/** Checks a value from outside and translates it. @throws WrongShape */
export type Shape = (value: unknown, by: Translation) => unknown;

/** No number is larger: times of packets have 64 bits. Whatever is added to these stays finite, and a date. */
const LARGEST = 2 ** 64;

function isNumeric(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= LARGEST;
}

/** A whole number as it is, of any sign. @throws WrongShape */
export function whole(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new WrongShape('no whole number');
  return value as number;
}

/** Of any sign. */
export const numeric: Shape = (value) => {
  if (!isNumeric(value)) throw new WrongShape('no number');
  return value;
};

/** A count, a length or a duration. */
export const amount: Shape = (value) => {
  if (!isNumeric(value) || value < 0) throw new WrongShape('no amount');
  return value;
};

/** A time of the analysis, ns. */
export const moment: Shape = (value, { shift }) => {
  if (!isNumeric(value) || !isNumeric(value + shift)) throw new WrongShape('no time');
  return value + shift;
};

export const flag: Shape = (value) => {
  if (typeof value !== 'boolean') throw new WrongShape('no flag');
  return value;
};

export const port: Shape = (value) => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new WrongShape('no port');
  }
  return value;
};

export const host: Shape = (value, by) => by.host(value);

/** @param maximum characters */
export function words(maximum: number): Shape {
  return (value) => {
    if (typeof value !== 'string' || value.length > maximum) throw new WrongShape('no text');
    return value;
  };
}

export function oneOf(...values: readonly unknown[]): Shape {
  return (value) => {
    if (!values.includes(value)) throw new WrongShape('none of the values');
    return value;
  };
}

/** May be missing. */
export function maybe(shape: Shape): Shape {
  return (value, by) => (value === undefined || value === null ? undefined : shape(value, by));
}

/** As many members as there are shapes. */
export function tuple(...shapes: readonly Shape[]): Shape {
  return (value, by) => {
    if (!Array.isArray(value) || value.length !== shapes.length) throw new WrongShape('no tuple');
    return shapes.map((shape, index) => shape(value[index], by));
  };
}

/** @param maximum members; members that `shape` gives undefined for are left out */
export function list(shape: Shape, maximum: number): Shape {
  return (value, by) => {
    if (!Array.isArray(value) || value.length > maximum) throw new WrongShape('no list');
    return value.map((each) => shape(each, by)).filter((each) => each !== undefined);
  };
}

/** A shape for each member of a type: one that is added to the type is missed here by the compiler. */
export type Shapes<Type> = { readonly [Name in keyof Type]-?: Shape };

/** An object in the order of its own members; those that have no shape are left out. */
export function members<Type = Readonly<Record<string, unknown>>>(shapes: Shapes<Type>): Shape {
  return ofMembers(shapes as Readonly<Record<string, Shape>>);
}

function ofMembers(shapes: Readonly<Record<string, Shape>>): Shape {
  const required = Object.keys(shapes);
  return (value, by) => {
    if (!isObject(value)) throw new WrongShape('no object');
    const made: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
      if (shape !== undefined) made[name] = shape(value[name], by);
    }
    for (const name of required) if (!(name in made)) shapes[name]?.(undefined, by);
    return made;
  };
}
