#include "runtime/config/option_text.hpp"

#include "runtime/config/changes.hpp"
#include "runtime/config/fields.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <concepts>
#include <type_traits>

namespace troupe::config {
namespace {

class OptionLister {
 public:
  OptionLister(std::string path, std::string key, Options& out)
      : path_(std::move(path)), key_(std::move(key)), out_(out) {}
  template <class T>
  void operator()(const char* key, T& value) {
    OptionLister at(path_.empty() ? key : path_ + "." + key, key_.empty() ? key : key_ + "." + key, out_);
    at.add(value);
  }
  template <class T>
  void list(const char* key, std::vector<T>& values, const T&) {
    (*this)(key, values);
  }

 private:
  void put(std::string text) { out_[path_] = {std::move(text), key_}; }
  void add(std::string& value) { put(value); }
  void add(SecretRef& value) { put(value.reference); }
  void add(JsonValue& value) { put(value.text); }
  void add(bool& value) { put(value ? "true" : "false"); }
  void add(double& value) { put(fmt::format("{}", value)); }
  void add(Duration& value) { put(fmt::format("{}", value.count())); }
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) void add(T& value) { put(fmt::format("{}", value)); }
  template <class T>
  requires std::is_enum_v<T>
  void add(T& value) { put(fmt::format("{}", static_cast<int>(value))); }
  template <class T>
  void add(std::vector<T>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      auto name = fmt::format("{}", i);
      if constexpr (std::same_as<T, EndpointConfig>) name = values[i].id;
      // A vector<bool> has no values to point at; there is none.
      OptionLister at(fmt::format("{}[{}]", path_, name), key_ + "[]", out_);
      at.add(values[i]);
    }
  }
  template <class T>
  void add(std::map<std::string, T>& values) {
    for (auto& [name, value] : values) {
      OptionLister at(path_ + "." + name, key_ + ".*", out_);
      // One without options is there all the same.
      at.put({});
      at.add(value);
    }
  }
  template <class T>
  requires std::is_class_v<T>
  void add(T& value) { fields(*this, value); }

  std::string path_, key_;
  Options& out_;
};

std::string row_text(const policy::PriceRow& row) {
  return fmt::format("{} {} {}: {} {} {} {} {} {} {} {} {} {} {}", row.model, row.scope, row.from, row.input,
                     row.output, row.cache_read, row.cache_write, row.cache_write_1h, row.batch_input,
                     row.batch_output, row.long_from, row.long_input, row.long_output, row.long_cache_read);
}

std::string prices_text(const EndpointConfig& endpoint) {
  const auto& price = endpoint.price;
  auto out = fmt::format("{} {} {} {}", price.input, price.output, price.cache_read, price.cache_write);
  for (const auto& row : endpoint.tariff.rows) out += "\n" + row_text(row);
  for (const auto& each : endpoint.tariff.factors) out += fmt::format("\n{} {}", each.kind, each.factor);
  return out;
}

void add_text(std::string& out, const char* what, const NameChanges& names) {
  if (names.empty()) return;
  if (!out.empty()) out += "; ";
  out += what;
  for (const auto& name : names.added) out += " +" + name;
  for (const auto& name : names.removed) out += " -" + name;
  for (const auto& name : names.changed) out += " ~" + name;
}

}  // namespace

Options options_of(Config config) {
  Options out;
  OptionLister lister({}, {}, out);
  fields(lister, config);
  for (const auto& [name, feature] : config.features)
    if (feature.choice.trained)
      out["features." + name + ".choice.model"].text += "\n" + to_text(*feature.choice.trained);
  for (const auto& endpoint : config.endpoints.list)
    out["prices of endpoint[" + endpoint.id + "]"] = {prices_text(endpoint), "prices of endpoint"};
  return out;
}

std::string to_text(const ConfigChanges& changes) {
  std::string out;
  add_text(out, "endpoints", changes.endpoints);
  add_text(out, "shadows", changes.shadows);
  add_text(out, "rollouts", changes.rollouts);
  if (!changes.features.empty())
    out += fmt::format("{}queues {}", out.empty() ? "" : "; ", fmt::join(changes.features, " "));
  return out;
}

}  // namespace troupe::config
