/** What the auditor can find, and what each code says happened. */
const FINDING_CODES = {
  'two-owners': 'both systems accept writes for the customer',
  'no-owner': 'neither system accepts writes for the customer',
  'wrong-owner': 'the customer lives in another system than the outcome says',
  'customer-missing': 'the customer is not in the system that owns them',
  'unexplained-customer': 'a customer nobody won and the baseline does not know',
  'baseline-missing': 'a row of the baseline that nobody deleted is gone',
  'baseline-differs': 'a row of the baseline that nobody changed has another state or content',
  'acknowledged-missing': 'a row that an acknowledged operation wrote is gone',
  'acknowledged-twice': 'an acknowledged operation left more rows than it wrote',
  'change-lost': 'the last acknowledged change of a row does not stand',
  'amount-differs': 'a row carries another amount than was written last',
  'money-differs': 'the sum of a customer’s invoices, lines or payments is not the expected one',
  'invoice-sum-differs': 'an invoice is not the sum of its lines',
  'deleted-returned': 'a row that was deleted is there again',
  'refused-happened': 'an operation that was refused took effect',
  'unknown-torn': 'an operation with a lost answer happened in part',
  'unexplained-row': 'a row that neither the baseline nor any operation explains',
  'left-behind': 'the system that does not own the customer holds a row it must not have',
  'untouched-changed': 'a source row that nobody wrote since the baseline is not byte-identical',
  'request-lost': 'an accepted request neither took effect nor is pending or listed',
  'request-twice': 'an accepted request took effect more than once',
  'request-premature': 'a request that is still held took effect already',
} as const;
export type FindingCode = keyof typeof FINDING_CODES;

export interface Finding {
  code: FindingCode;
  /** Customers concerned. */
  customers: number;
  /** Rows or requests concerned. */
  count: number;
  /** Up to five of what was found first: customer, entity and key, never a value. */
  samples: string[];
  message: string;
}

const SAMPLES = 5;

/** Gathers findings by code. */
export class Findings {
  private readonly byCode = new Map<FindingCode, { customers: Set<string>; count: number; samples: string[] }>();

  add(code: FindingCode, customer: string, detail = ''): void {
    const found = this.byCode.get(code) ?? { customers: new Set<string>(), count: 0, samples: [] };
    this.byCode.set(code, found);
    found.customers.add(customer);
    found.count += 1;
    if (found.samples.length < SAMPLES) found.samples.push(detail === '' ? customer : `${customer} ${detail}`);
  }

  list(): Finding[] {
    return [...this.byCode].map(([code, { customers, count, samples }]) => ({
      code,
      customers: customers.size,
      count,
      samples,
      message: FINDING_CODES[code],
    }));
  }
}
