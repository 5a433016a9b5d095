import { createReadStream, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'csv-parse';
import type { ClientBase } from 'pg';
import { PERSON_COLUMNS } from './generate';
import { fillHistory, seedRolls, TARIFFS } from './history';

/** Columns of the public telephone company data set; all are text on the way in. */
const HEADER = [
  'customerID', 'gender', 'SeniorCitizen', 'Partner', 'Dependents', 'tenure', 'PhoneService', 'MultipleLines',
  'InternetService', 'OnlineSecurity', 'OnlineBackup', 'DeviceProtection', 'TechSupport', 'StreamingTV', 'StreamingMovies',
  'Contract', 'PaperlessBilling', 'PaymentMethod', 'MonthlyCharges', 'TotalCharges', 'Churn',
] as const; // prettier-ignore

const BATCH_ROWS = 1_000;

const STAGE = `create temp table sheet (i bigint primary key, ${HEADER.map((name) => `"${name}" text not null`).join(', ')})`;

const FILL = `
insert into legacy.customer (customer_id, name, email, phone, gender, senior_citizen, partner, dependents, tenure,
                             paperless, payment_method, monthly_charges, total_charges, opened_at, note)
select "customerID", ${PERSON_COLUMNS}, gender, "SeniorCitizen", "Partner", "Dependents", tenure,
       "PaperlessBilling", "PaymentMethod", "MonthlyCharges", "TotalCharges",
       (timestamp '2026-11-01' - make_interval(months => btrim(tenure)::int)
         + interval '1 microsecond' * pg_temp.roll(i, 9, 2000000000)) at time zone 'UTC',
       case when "Churn" = 'Yes' then 'gave notice, last bill pending' end
from sheet;
insert into legacy.service (customer_id, phone, multiple_lines, internet, online_security, online_backup, device_protection,
                            tech_support, streaming_tv, streaming_movies)
select "customerID", "PhoneService", "MultipleLines", "InternetService", "OnlineSecurity", "OnlineBackup", "DeviceProtection",
       "TechSupport", "StreamingTV", "StreamingMovies"
from sheet;
create temp table roster as
select i, "customerID" as customer_id, btrim(tenure)::int as tenure, btrim("MonthlyCharges")::numeric as monthly,
       "Contract" as kind, "Churn" = 'Yes' as ended, "PaymentMethod" like '%(automatic)' as automatic
from sheet;
drop table sheet;`;

async function stage(client: ClientBase, file: string): Promise<void> {
  const rows = createReadStream(file).pipe(
    parse({
      bom: true,
      columns: (names: string[]) => {
        const missing = HEADER.filter((name) => !names.includes(name));
        if (missing.length > 0) throw new Error(`${file} lacks the columns ${missing.join(', ')}`);
        return names;
      },
    }),
  );
  const insert = async (batch: Record<string, unknown>[]): Promise<void> => {
    await client.query(
      `insert into sheet select * from jsonb_to_recordset($1::jsonb) as r(i bigint, ${HEADER.map((name) => `"${name}" text`).join(', ')})`,
      [JSON.stringify(batch)],
    );
  };
  let batch: Record<string, unknown>[] = [];
  let count = 0;
  for await (const row of rows) {
    batch.push({ ...(row as Record<string, string>), i: ++count });
    if (batch.length === BATCH_ROWS) await insert(batch.splice(0));
  }
  if (batch.length > 0) await insert(batch);
  batch = [];
  if (count === 0) throw new Error(`${file} holds no customers`);
}

/** The absolute path of a file with customers; throws when there is none. */
export function csvFile(file: string): string {
  if (!existsSync(file)) throw new Error(`No such file: ${file}. Give the path of a CSV with one customer a line.`);
  return resolve(file);
}

/**
 * Fills the empty legacy tables from a file: customers, services, contracts and charges as they stand there, blanks
 * included. Names, contact details, bills, payments, orders and tickets are not in the file and are made from the row
 * number. Throws with the file's name when it is missing or has other columns.
 */
export async function loadLegacyCsv(client: ClientBase, options: { file: string; seed?: number }): Promise<void> {
  const file = csvFile(options.file);
  await client.query('begin');
  try {
    await seedRolls(client, options.seed ?? 1);
    await client.query(`${TARIFFS}\n${STAGE}`);
    await stage(client, file);
    await client.query(FILL);
    await fillHistory(client);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
