import { parseQuantity } from '../api/quantity.ts';
