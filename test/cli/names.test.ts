import { ALIKE, commonPrefix, namesAlike, withoutPrefix, wordsOf } from '../../cli/inspect/names';

test.each([
  ['customer', 'customer'],
  ['tbl_customers', 'customer'],
  ['invoiceLine', 'invoice_lines'],
  ['descr', 'description'],
  ['mtr', 'meter'],
  ['mail', 'email'],
  ['customer_no', 'customer_id'],
  ['due', 'due_date'],
])('%s and %s are taken for the same', (left, right) => {
  expect(namesAlike(left, right)).toBeGreaterThanOrEqual(ALIKE);
  expect(namesAlike(right, left)).toBe(namesAlike(left, right));
});

test.each([
  ['customer', 'invoice'],
  ['amount', 'due_date'],
  ['street', 'town'],
  ['first_name', 'last_call'],
])('%s and %s are not', (left, right) => {
  expect(namesAlike(left, right)).toBeLessThan(ALIKE);
});

test('what all names begin with says nothing', () => {
  const names = ['cus_no', 'cus_name', 'cus_mail', 'note'];
  expect(commonPrefix(names)).toBe('cus_');
  expect(names.map((name) => withoutPrefix(name, 'cus_'))).toEqual(['no', 'name', 'mail', 'note']);
  expect(wordsOf('tbl_InvoiceCategories')).toEqual(['invoice', 'category']);
});
