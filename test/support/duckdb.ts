import { DuckDBInstance } from '@duckdb/node-api';

/** Rows of a query by DuckDB, the independent reader of the Parquet files: numbers are texts where they have 64 bits. */
export async function duckdb(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
