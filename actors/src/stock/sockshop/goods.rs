//! What the shop sells and knows, whatever its services speak. The values are those of ECLYPSE's
//! SockShop.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Money, USER};

/// A text that is the same in every run, or came over the network.
type Text = Cow<'static, str>;

/// Something to buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// By which carts and orders speak of it.
    pub id: Text,
    /// What it is called.
    pub name: Text,
    /// What one costs.
    pub price: Money,
}

/// Everything there is to buy: product 1 at 19.99, product 2 at 29.99.
pub fn products() -> Vec<Product> {
    let product =
        |id, name, cents| Product { id: Cow::Borrowed(id), name: Cow::Borrowed(name), price: Money::from_cents(cents) };
    vec![product("1", "Product 1", 1999), product("2", "Product 2", 2999)]
}

/// Somebody who buys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The user's number.
    pub user_id: u64,
    /// The user's name.
    pub name: Text,
    /// Where to write to.
    pub email: Text,
    /// Where to ship to.
    pub address: Text,
    /// Where to call.
    pub phone: Text,
}

/// The user of that number. There is one: 12345.
pub fn user(user_id: u64) -> Option<User> {
    (user_id == USER).then_some(User {
        user_id,
        name: Cow::Borrowed("John Doe"),
        email: Cow::Borrowed("john@example.com"),
        address: Cow::Borrowed("123 Main St"),
        phone: Cow::Borrowed("555-1234"),
    })
}

/// Some of a product, in the cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartItem {
    /// Of which product.
    pub id: Text,
    /// How many.
    pub quantity: u64,
}

/// What lies in the cart: two of product 1 and one of product 2.
pub fn cart() -> Vec<CartItem> {
    let item = |id, quantity| CartItem { id: Cow::Borrowed(id), quantity };
    vec![item("1", 2), item("2", 1)]
}

/// What some of a product costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Which product.
    pub id: Text,
    /// What they cost together.
    pub amount: Money,
}

/// Prices what lies in a cart.
///
/// # Errors
/// The id of something in the cart that is not for sale.
pub fn order_lines(products: &[Product], items: &[CartItem]) -> Result<Vec<OrderLine>, Text> {
    let line = |item: &CartItem| {
        let product = products.iter().find(|product| product.id == item.id).ok_or_else(|| item.id.clone())?;
        Ok(OrderLine { id: item.id.clone(), amount: product.price.times(item.quantity) })
    };
    items.iter().map(line).collect()
}

/// What an order costs.
pub fn total(lines: &[OrderLine]) -> Money {
    lines.iter().map(|line| line.amount).sum()
}

/// How an order comes to the one who placed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// Who carries it.
    pub carrier: Text,
    /// How the carrier calls it.
    pub tracking_number: Text,
    /// The day on which it should be there.
    pub estimated_delivery_date: Text,
}

/// The shipment of every order.
pub fn shipment() -> Shipment {
    Shipment {
        carrier: Cow::Borrowed("UPS"),
        tracking_number: Cow::Borrowed("1234567890"),
        estimated_delivery_date: Cow::Borrowed("2024-04-09"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_the_one_and_one_of_the_other_cost_69_97() {
        let lines = order_lines(&products(), &cart()).unwrap();
        // 2 * 19.99 and 1 * 29.99.
        let amounts: Vec<String> = lines.iter().map(|line| line.amount.to_string()).collect();
        assert_eq!(amounts, ["39.98", "29.99"]);
        assert_eq!(total(&lines).to_string(), "69.97");
    }

    #[test]
    fn what_is_not_for_sale_has_no_price() {
        let wanted = [CartItem { id: Cow::Borrowed("3"), quantity: 1 }];
        assert_eq!(order_lines(&products(), &wanted), Err(Cow::Borrowed("3")));
    }
}
