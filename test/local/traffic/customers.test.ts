import { Customers } from '../../../local/traffic/picker';
import { Random } from '../../../local/traffic/random';

test('some are left to withdraw: nobody is won while their wave moves', () => {
  const customers = new Customers([]);
  const random = new Random(1);
  customers.add('W1', true);
  customers.add('W2', true);
  customers.add('W3', false);
  expect(customers.withdrawing(random, 2)).toEqual([]);
  expect([...customers.withdrawing(random, 0)].sort()).toEqual(['W1', 'W2']);
  customers.forgetFresh('W1');
  expect(customers.withdrawing(random, 0)).toEqual(['W2']);
});
