// The shop's rules, as tau2-bench's retail tools have them: what is refused, and what a write changes.
#include "tests/agents/retail_world.hpp"

#include "runtime/tools/arithmetic.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace troupe::testing {
namespace {

using Refusal = std::unexpected<std::string>;

Json* within(Json& object, const std::string& key) {
  auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}
Json* record(Json& state, const char* table, const std::string& id) { return within(state[table], id); }
Json* order_named(Json& state, const Json& args) {
  return record(state, "orders", get_string(args, "order_id"));
}
Json* payment_of(Json& state, const Json& order, const std::string& id) {
  auto* user = record(state, "users", get_string(order, "user_id"));
  return user == nullptr ? nullptr : within((*user)["payment_methods"], id);
}

bool is_gift_card(const Json& method) { return get_string(method, "source") == "gift_card"; }
double cents(double amount) { return std::round(amount * 100) / 100; }
void add_balance(Json& method, double amount) {
  if (is_gift_card(method)) method["balance"] = cents(get_double(method, "balance") + amount);
}
Json payment(const char* kind, double amount, const std::string& method) {
  return {{"transaction_type", kind}, {"amount", amount}, {"payment_method_id", method}};
}

std::vector<std::string> strings_at(const Json& args, const char* key) {
  std::vector<std::string> out;
  const auto* list = find(args, key);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& each : *list) out.push_back(each.is_string() ? each.get<std::string>() : "");
  return out;
}
std::vector<std::string> sorted(std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  return list;
}
std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Json* item_of(Json& order, const std::string& item_id) {
  for (auto& item : order["items"])
    if (get_string(item, "item_id") == item_id) return &item;
  return nullptr;
}
bool holds_all(const Json& order, const std::vector<std::string>& item_ids) {
  std::map<std::string, int> left;
  for (const auto& item : *find(order, "items")) ++left[get_string(item, "item_id")];
  return std::all_of(item_ids.begin(), item_ids.end(), [&](const auto& id) { return left[id]-- > 0; });
}

// What replacing items costs, and the last of the new variants.
struct Replacement {
  double difference = 0;
  const Json* last = nullptr;
};
std::expected<Replacement, std::string> replacement(Json& state, Json& order, const Json& args) {
  auto from = strings_at(args, "item_ids"), to = strings_at(args, "new_item_ids");
  if (!holds_all(order, from)) return Refusal("the order does not hold these items");
  if (from.size() != to.size()) return Refusal("not as many new items as old ones");
  Replacement out;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto& item = *item_of(order, from[i]);
    auto* product = record(state, "products", get_string(item, "product_id"));
    out.last = product == nullptr ? nullptr : within((*product)["variants"], to[i]);
    if (out.last == nullptr) return Refusal("no such variant of the product");
    if (!get_bool(*out.last, "available")) return Refusal("the new item is not available");
    out.difference += get_double(*out.last, "price") - get_double(item, "price");
  }
  return out;
}

ActionOutcome cancel_order(Json& state, const Json& args) {
  auto* order = order_named(state, args);
  if (order == nullptr) return Refusal("no such order");
  if (get_string(*order, "status") != "pending") return Refusal("the order is not pending");
  auto reason = get_string(args, "reason");
  if (reason != "no longer needed" && reason != "ordered by mistake") return Refusal("not a reason");
  Json refunds = Json::array();
  for (const auto& paid : (*order)["payment_history"]) {
    auto id = get_string(paid, "payment_method_id");
    auto* method = payment_of(state, *order, id);
    if (method == nullptr) return Refusal("no such payment method");
    refunds.push_back(payment("refund", get_double(paid, "amount"), id));
  }
  for (const auto& refund : refunds) {
    add_balance(*payment_of(state, *order, get_string(refund, "payment_method_id")),
                get_double(refund, "amount"));
    (*order)["payment_history"].push_back(refund);
  }
  (*order)["status"] = "cancelled";
  (*order)["cancel_reason"] = reason;
  return *order;
}

ActionOutcome exchange_items(Json& state, const Json& args) {
  auto* order = order_named(state, args);
  if (order == nullptr) return Refusal("no such order");
  if (get_string(*order, "status") != "delivered") return Refusal("the order is not delivered");
  auto swap = replacement(state, *order, args);
  if (!swap) return Refusal(swap.error());
  auto id = get_string(args, "payment_method_id");
  auto* method = payment_of(state, *order, id);
  if (method == nullptr) return Refusal("no such payment method");
  auto difference = cents(swap->difference);
  if (is_gift_card(*method) && get_double(*method, "balance") < difference)
    return Refusal("the gift card's balance is too low");
  (*order)["status"] = "exchange requested";
  (*order)["exchange_items"] = sorted(strings_at(args, "item_ids"));
  (*order)["exchange_new_items"] = sorted(strings_at(args, "new_item_ids"));
  (*order)["exchange_payment_method_id"] = id;
  (*order)["exchange_price_difference"] = difference;
  return *order;
}

ActionOutcome modify_items(Json& state, const Json& args) {
  auto* order = order_named(state, args);
  if (order == nullptr) return Refusal("no such order");
  if (get_string(*order, "status") != "pending") return Refusal("the order is not pending");
  auto from = strings_at(args, "item_ids"), to = strings_at(args, "new_item_ids");
  auto swap = replacement(state, *order, args);
  if (!swap) return Refusal(swap.error());
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[i] == to[i]) return Refusal("the new item is the old one");
  auto id = get_string(args, "payment_method_id");
  auto* method = payment_of(state, *order, id);
  if (method == nullptr) return Refusal("no such payment method");
  if (is_gift_card(*method) && get_double(*method, "balance") < swap->difference)
    return Refusal("the gift card's balance is too low");
  const char* kind = swap->difference > 0 ? "payment" : "refund";
  (*order)["payment_history"].push_back(payment(kind, std::abs(swap->difference), id));
  add_balance(*method, -swap->difference);
  // Every new item gets the last one's price and options: what the benchmark's own tool does.
  for (std::size_t i = 0; i < from.size(); ++i) {
    auto* item = item_of(*order, from[i]);
    if (item == nullptr) continue;
    (*item)["item_id"] = to[i];
    (*item)["price"] = *find(*swap->last, "price");
    (*item)["options"] = *find(*swap->last, "options");
  }
  (*order)["status"] = "pending (item modified)";
  return *order;
}

ActionOutcome modify_payment(Json& state, const Json& args) {
  auto* order = order_named(state, args);
  if (order == nullptr) return Refusal("no such order");
  if (!get_string(*order, "status").contains("pending")) return Refusal("the order is not pending");
  auto id = get_string(args, "payment_method_id");
  auto* method = payment_of(state, *order, id);
  if (method == nullptr) return Refusal("no such payment method");
  auto& history = (*order)["payment_history"];
  if (history.size() != 1 || get_string(history[0], "transaction_type") != "payment")
    return Refusal("the order has not exactly one payment");
  auto old = get_string(history[0], "payment_method_id");
  if (old == id) return Refusal("it is paid that way already");
  auto* before = payment_of(state, *order, old);
  if (before == nullptr) return Refusal("no such payment method");
  double amount = get_double(history[0], "amount");
  if (is_gift_card(*method) && get_double(*method, "balance") < amount)
    return Refusal("the gift card's balance is too low");
  history.push_back(payment("payment", amount, id));
  history.push_back(payment("refund", amount, old));
  add_balance(*method, -amount);
  add_balance(*before, amount);
  return *order;
}

Json address_in(const Json& args) {
  Json out = Json::object();
  for (const char* key : {"address1", "address2", "city", "state", "country", "zip"})
    out[key] = get_string(args, key);
  return out;
}
ActionOutcome modify_order_address(Json& state, const Json& args) {
  auto* order = order_named(state, args);
  if (order == nullptr) return Refusal("no such order");
  if (!get_string(*order, "status").contains("pending")) return Refusal("the order is not pending");
  (*order)["address"] = address_in(args);
  return *order;
}
ActionOutcome modify_user_address(Json& state, const Json& args) {
  auto* user = record(state, "users", get_string(args, "user_id"));
  if (user == nullptr) return Refusal("no such user");
  (*user)["address"] = address_in(args);
  return *user;
}

ActionOutcome return_items(Json& state, const Json& args) {
  auto* order = order_named(state, args);
  if (order == nullptr) return Refusal("no such order");
  if (get_string(*order, "status") != "delivered") return Refusal("the order is not delivered");
  auto id = get_string(args, "payment_method_id");
  auto* method = payment_of(state, *order, id);
  if (method == nullptr) return Refusal("no such payment method");
  const auto& history = (*order)["payment_history"];
  if (!is_gift_card(*method) && (history.empty() || get_string(history[0], "payment_method_id") != id))
    return Refusal("neither a gift card nor how it was paid");
  auto items = strings_at(args, "item_ids");
  if (!holds_all(*order, items)) return Refusal("the order does not hold these items");
  (*order)["status"] = "return requested";
  (*order)["return_items"] = sorted(items);
  (*order)["return_payment_method_id"] = id;
  return *order;
}

ActionOutcome found(const Json* what) {
  if (what == nullptr) return Refusal("not found");
  return *what;
}
ActionOutcome order_details(Json& state, const Json& args) { return found(order_named(state, args)); }
ActionOutcome user_details(Json& state, const Json& args) {
  return found(record(state, "users", get_string(args, "user_id")));
}
ActionOutcome product_details(Json& state, const Json& args) {
  return found(record(state, "products", get_string(args, "product_id")));
}
ActionOutcome item_details(Json& state, const Json& args) {
  for (auto& product : state["products"])
    if (auto* item = within(product["variants"], get_string(args, "item_id"))) return *item;
  return Refusal("not found");
}
ActionOutcome user_by_email(Json& state, const Json& args) {
  for (const auto& user : state["users"])
    if (lower(get_string(user, "email")) == lower(get_string(args, "email"))) return user["user_id"];
  return Refusal("not found");
}
ActionOutcome user_by_name(Json& state, const Json& args) {
  auto same = [&](const Json& name, const char* key) {
    return lower(get_string(name, key)) == lower(get_string(args, key));
  };
  for (const auto& user : state["users"])
    if (same(user["name"], "first_name") && same(user["name"], "last_name") &&
        get_string(user["address"], "zip") == get_string(args, "zip"))
      return user["user_id"];
  return Refusal("not found");
}
ActionOutcome product_types(Json& state, const Json&) {
  std::map<std::string, std::string> sorted_types;
  for (const auto& product : state["products"])
    sorted_types[get_string(product, "name")] = get_string(product, "product_id");
  return Json(sorted_types);
}
ActionOutcome calculate(Json&, const Json& args) {
  auto number = tools::evaluate(get_string(args, "expression"));
  if (!number) return Refusal(number.error().what);
  return Json(cents(number->value()));
}
ActionOutcome transfer(Json&, const Json&) { return Json("Transfer successful"); }

struct RetailTool {
  const char* name;
  bool writes;
  Action action;
};
constexpr RetailTool kRetail[] = {{"cancel_pending_order", true, cancel_order},
                                  {"exchange_delivered_order_items", true, exchange_items},
                                  {"modify_pending_order_items", true, modify_items},
                                  {"modify_pending_order_payment", true, modify_payment},
                                  {"modify_pending_order_address", true, modify_order_address},
                                  {"modify_user_address", true, modify_user_address},
                                  {"return_delivered_order_items", true, return_items},
                                  {"get_order_details", false, order_details},
                                  {"get_user_details", false, user_details},
                                  {"get_product_details", false, product_details},
                                  {"get_item_details", false, item_details},
                                  {"find_user_id_by_email", false, user_by_email},
                                  {"find_user_id_by_name_zip", false, user_by_name},
                                  {"list_all_product_types", false, product_types},
                                  {"calculate", false, calculate},
                                  {"transfer_to_human_agents", false, transfer}};

Result<Json> json_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::input_missing, path.string());
  return parse_json(std::string(std::istreambuf_iterator<char>(in), {}));
}

RetailTask read_task(const Json& json) {
  RetailTask out;
  out.id = get_string(json, "id");
  const auto* criteria = find(json, "evaluation_criteria");
  const auto* actions = criteria == nullptr ? nullptr : find(*criteria, "actions");
  if (actions == nullptr || !actions->is_array()) return out;
  for (const auto& action : *actions) {
    const auto* arguments = find(action, "arguments");
    out.gold.push_back({get_string(action, "name"), arguments == nullptr ? Json::object() : *arguments});
    auto& compared = out.compared.emplace_back();
    if (const auto* keys = find(action, "compare_args"); keys != nullptr && keys->is_array())
      compared = strings_at(action, "compare_args");
  }
  return out;
}

}  // namespace

Result<RetailData> read_retail(const std::string& folder) {
  auto database = json_file(std::filesystem::path(folder) / "retail" / "db.json");
  if (!database) return std::unexpected(database.error());
  auto tasks = json_file(std::filesystem::path(folder) / "retail" / "tasks.json");
  if (!tasks) return std::unexpected(tasks.error());
  if (!tasks->is_array()) return fail(Errc::invalid_input, "tasks.json is no list");
  RetailData out{std::move(*database), {}};
  for (const auto& task : *tasks) out.tasks.push_back(read_task(task));
  return out;
}

bool retail_writes(const std::string& tool) {
  return std::any_of(std::begin(kRetail), std::end(kRetail),
                     [&](const auto& each) { return each.writes && tool == each.name; });
}

Toolbox retail_tools(const WorldPtr& world) {
  Toolbox out;
  for (const auto& each : kRetail)
    if (!out.add(std::make_shared<WorldTool>(world, each.name, each.writes, each.action))) return {};
  return out;
}

}  // namespace troupe::testing
