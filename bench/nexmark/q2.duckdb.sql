SELECT auction, price FROM events WHERE auction % 123 = 0
