//! What the demo's application sends: each statement with the values of its every execution.

use super::shop::Sizes;

/// One statement of the application.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    pub name: &'static str,
    pub sql: &'static str,
    /// The parameters of an execution, by its number.
    pub values: fn(u64, &Sizes) -> Vec<String>,
}

pub const USER_BY_EMAIL: Statement = Statement {
    name: "user by e-mail",
    sql: "SELECT id, email, name, country FROM users WHERE email = $1",
    values: |number, sizes| vec![format!("user{}@example.com", pick(number, 1, sizes.users))],
};
pub const ORDERS_OF_A_USER: Statement = Statement {
    name: "orders of a user",
    sql: "SELECT id, total_cents, created_at FROM orders \
          WHERE user_id = $1 AND status = $2 ORDER BY created_at DESC LIMIT 20",
    values: |number, sizes| {
        let status = ["delivered", "delivered", "shipped", "paid", "pending"];
        let status = status[usize::try_from(number % 5).unwrap_or_default()];
        vec![pick(number, 2, sizes.busy_users()), status.to_owned()]
    },
};
pub const ITEMS_OF_AN_ORDER: Statement = Statement {
    name: "items of an order",
    sql: "SELECT i.product_id, i.quantity, i.price_cents, p.name \
          FROM order_items i JOIN products p ON p.id = i.product_id WHERE i.order_id = $1",
    values: |number, sizes| vec![pick(number, 3, sizes.orders)],
};
pub const REVIEWS_OF_A_PRODUCT: Statement = Statement {
    name: "reviews of a product",
    sql: "SELECT id, rating, title, created_at FROM reviews \
          WHERE product_id = $1 ORDER BY created_at DESC LIMIT 10",
    values: |number, sizes| vec![pick(number, 4, sizes.products)],
};
pub const ACCOUNT_PAGE: Statement = Statement {
    name: "account page",
    sql: "SELECT * FROM users WHERE id = $1",
    values: |number, sizes| vec![pick(number, 5, sizes.users)],
};
pub const CATEGORY_PAGE: Statement = Statement {
    name: "category page",
    sql: "SELECT * FROM products WHERE category_id = $1 ORDER BY id LIMIT 50",
    values: |number, sizes| vec![pick(number, 6, sizes.categories)],
};
pub const ALL_PRODUCTS: Statement = Statement {
    name: "all products",
    sql: "SELECT id, name, price_cents FROM products",
    values: |_, _| Vec::new(),
};
pub const USERS_FAR_PAGE: Statement = Statement {
    name: "users, far page",
    sql: "SELECT id, name, country FROM users ORDER BY id LIMIT 50 OFFSET $1",
    values: |number, sizes| vec![(u64::from(sizes.users) / 5 + 50 * number).to_string()],
};
/// Feeds the N+1 with the users of its orders.
pub const LATEST_ORDERS: Statement = Statement {
    name: "latest orders",
    sql: "SELECT id, user_id, total_cents FROM orders WHERE created_at < $1 ORDER BY created_at DESC LIMIT 100",
    values: |number, sizes| vec![minutes_after_2023(number_of(number, 7, sizes.orders))],
};
pub const USER_OF_AN_ORDER: Statement = Statement {
    name: "user of an order",
    sql: "SELECT name, email FROM users WHERE id = $1",
    values: |number, sizes| vec![pick(number, 8, sizes.users)],
};

/// The same as the N+1 in one statement.
pub const ORDERS_WITH_USERS: Statement = Statement {
    name: "latest orders with users",
    sql: "SELECT o.id, o.total_cents, u.name, u.email FROM orders o JOIN users u ON u.id = o.user_id \
          WHERE o.created_at < $1 ORDER BY o.created_at DESC LIMIT 100",
    values: LATEST_ORDERS.values,
};
pub const PRODUCT: Statement = Statement {
    name: "product",
    sql: "SELECT id, name, price_cents, stock FROM products WHERE id = $1",
    values: |number, sizes| vec![pick(number, 9, sizes.products)],
};
pub const REVIEWS_PAGE: Statement = Statement {
    name: "reviews, keyset page",
    sql: "SELECT id, product_id, rating, title FROM reviews WHERE id < $1 ORDER BY id DESC LIMIT 100",
    values: |number, sizes| vec![pick(number, 10, sizes.reviews)],
};
pub const USERS_AT_ONCE: Statement = Statement {
    name: "fifty users at once",
    sql: "SELECT id, name, country FROM users WHERE id = ANY($1)",
    values: |number, sizes| {
        let ids: Vec<String> = (0..50).map(|nth| pick(number * 50 + nth, 11, sizes.users)).collect();
        vec![format!("{{{}}}", ids.join(","))]
    },
};
pub const CATEGORIES: Statement = Statement {
    name: "categories",
    sql: "SELECT id, name FROM categories ORDER BY name",
    values: |_, _| Vec::new(),
};
pub const ORDERS_BY_STATUS: Statement = Statement {
    name: "orders by status",
    sql: "SELECT status, count(*) FROM orders GROUP BY status",
    values: |_, _| Vec::new(),
};
pub const SALES_OF_A_DAY: Statement = Statement {
    name: "sales of a day",
    sql: "SELECT sum(total_cents) FROM orders WHERE created_at >= $1 AND created_at < $2",
    values: |number, sizes| {
        let first = number_of(number, 12, sizes.orders);
        vec![minutes_after_2023(first), minutes_after_2023(first + 24 * 60)]
    },
};
pub const LOGIN: Statement = Statement {
    name: "login",
    sql: "UPDATE users SET last_login_at = $2 WHERE id = $1",
    values: |number, sizes| vec![pick(number, 13, sizes.users), minutes_after_2023(1_200_000 + number)],
};
pub const NEW_ORDER: Statement = Statement {
    name: "new order",
    sql: "INSERT INTO orders (user_id, status, total_cents, created_at) VALUES ($1, 'pending', $2, $3) RETURNING id",
    values: |number, sizes| {
        let total = pick(number, 15, 50_000);
        vec![pick(number, 14, sizes.users), total, minutes_after_2023(1_200_000 + number)]
    },
};
/// The order's number comes first; the caller knows it.
pub const NEW_ITEMS: Statement = Statement {
    name: "new items",
    sql: "INSERT INTO order_items (order_id, product_id, quantity, price_cents) \
          VALUES ($1, $2, 1, 1999), ($1, $3, 2, 499), ($1, $4, 1, 2999)",
    values: |number, sizes| {
        let mut values = vec![pick(number, 16, sizes.orders)];
        values.extend((0..3).map(|nth| pick(number * 3 + nth, 17, sizes.products)));
        values
    },
};
pub const LESS_STOCK: Statement = Statement {
    name: "less stock",
    sql: "UPDATE products SET stock = stock - 1 WHERE id = $1",
    values: |number, sizes| vec![pick(number, 18, sizes.products)],
};

/// Every statement that the traffic sends, but for BEGIN and COMMIT.
pub const ALL: &[Statement] = &[
    USER_BY_EMAIL,
    ORDERS_OF_A_USER,
    ITEMS_OF_AN_ORDER,
    REVIEWS_OF_A_PRODUCT,
    ACCOUNT_PAGE,
    CATEGORY_PAGE,
    ALL_PRODUCTS,
    USERS_FAR_PAGE,
    LATEST_ORDERS,
    USER_OF_AN_ORDER,
    ORDERS_WITH_USERS,
    PRODUCT,
    REVIEWS_PAGE,
    USERS_AT_ONCE,
    CATEGORIES,
    ORDERS_BY_STATUS,
    SALES_OF_A_DAY,
    LOGIN,
    NEW_ORDER,
    NEW_ITEMS,
    LESS_STOCK,
];

/// From 1 to `limit`, as it falls for this number; `salt` keeps the statements apart.
fn number_of(number: u64, salt: u64, limit: u32) -> u64 {
    // The finaliser of SplitMix64: every bit of the input moves every bit of the output.
    let mut mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt << 32);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    1 + mixed % u64::from(limit.max(1))
}

fn pick(number: u64, salt: u64, limit: u32) -> String {
    number_of(number, salt, limit).to_string()
}

/// Orders are a minute apart, the first of them on 2023-01-01.
fn minutes_after_2023(minutes: u64) -> String {
    const START: i64 = 1_672_531_200;
    let seconds = i64::try_from(minutes * 60).unwrap_or_default();
    jiff::Timestamp::from_second(START + seconds).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{super::planted, *};

    #[test]
    fn values_are_the_same_in_every_run_and_differ_from_each_other() {
        let sizes = Sizes::scaled(1.0);
        assert_eq!((USER_BY_EMAIL.values)(0, &sizes), (USER_BY_EMAIL.values)(0, &sizes));
        let distinct: BTreeSet<_> = (0..100).map(|number| (USER_BY_EMAIL.values)(number, &sizes)).collect();
        assert_eq!(distinct.len(), 100);
        assert_eq!((SALES_OF_A_DAY.values)(3, &sizes).len(), 2);
        assert_eq!(minutes_after_2023(24 * 60), "2023-01-02T00:00:00Z");
    }

    #[test]
    fn every_statement_gets_as_many_values_as_it_has_parameters() {
        for statement in ALL {
            let highest = (1..10).rev().find(|nth| statement.sql.contains(&format!("${nth}"))).unwrap_or(0);
            assert_eq!((statement.values)(7, &Sizes::scaled(1.0)).len(), highest, "{}", statement.name);
        }
    }

    #[test]
    fn planted_problems_name_statements_that_are_sent() {
        for planted in planted::ALL {
            let sent = ALL.iter().any(|statement| statement.name == planted.about);
            let table = planted.about.strip_prefix("public.");
            let is_table =
                table.is_some_and(|table| ALL.iter().any(|statement| statement.sql.contains(table)));
            assert!(sent || is_table, "{planted:?}");
        }
    }
}
