#include "runtime/config/changes.hpp"

#include "runtime/config/fields.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <map>
#include <set>
#include <type_traits>

namespace troupe::config {
namespace {

using Options = std::map<std::string, std::string>;

/// Every option as text by its path.
class OptionLister {
 public:
  OptionLister(std::string path, Options& out) : path_(std::move(path)), out_(out) {}
  template <class T>
  void operator()(const char* key, T& value) {
    add(path_.empty() ? key : path_ + "." + key, value);
  }
  template <class T>
  void list(const char* key, std::vector<T>& values, const T&) {
    (*this)(key, values);
  }

 private:
  void add(const std::string& path, std::string& value) { out_[path] = value; }
  void add(const std::string& path, SecretRef& value) { out_[path] = value.reference; }
  void add(const std::string& path, JsonValue& value) { out_[path] = value.text; }
  void add(const std::string& path, bool value) { out_[path] = value ? "true" : "false"; }
  void add(const std::string& path, double value) { out_[path] = fmt::format("{}", value); }
  void add(const std::string& path, Duration& value) { out_[path] = fmt::format("{}", value.count()); }
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) void add(const std::string& path, T value) {
    out_[path] = fmt::format("{}", value);
  }
  template <class T>
  requires std::is_enum_v<T>
  void add(const std::string& path, T value) { out_[path] = fmt::format("{}", static_cast<int>(value)); }
  template <class T>
  void add(const std::string& path, std::vector<T>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      T value = values[i];
      add(fmt::format("{}[{}]", path, i), value);
    }
  }
  template <class T>
  void add(const std::string& path, std::map<std::string, T>& values) {
    for (auto& [name, value] : values) {
      out_[path + "." + name];
      add(path + "." + name, value);
    }
  }
  template <class T>
  requires std::is_class_v<T>
  void add(const std::string& path, T& value) {
    OptionLister below(path, out_);
    fields(below, value);
  }

  std::string path_;
  Options& out_;
};

Options options_of(Config config) {
  Options out;
  OptionLister lister({}, out);
  fields(lister, config);
  for (const auto& [name, feature] : config.features)
    if (feature.choice.trained)
      out["features." + name + ".choice.model"] += "\n" + to_text(*feature.choice.trained);
  for (const auto& endpoint : config.endpoints.list) {
    const auto& price = endpoint.price;
    out["prices of " + endpoint.id] =
        fmt::format("{} {} {} {}", price.input, price.output, price.cache_read, price.cache_write);
  }
  return out;
}

}  // namespace

std::vector<std::string> changed_options(const Config& before, const Config& after) {
  auto a = options_of(before), b = options_of(after);
  std::set<std::string> changed;
  auto compare = [&changed](const Options& from, const Options& to) {
    for (const auto& [path, value] : from) {
      auto other = to.find(path);
      if (other == to.end() || other->second != value) changed.insert(path);
    }
  };
  compare(a, b);
  compare(b, a);
  return {changed.begin(), changed.end()};
}

bool may_reload(const std::string& option) {
  constexpr std::string_view features = "features.";
  if (!option.starts_with(features)) return false;
  auto name_end = option.find('.', features.size());
  if (name_end == std::string::npos) return false;  // a feature more, or one fewer
  auto key = option.substr(name_end + 1);
  static const std::set<std::string> routing{"hierarchy", "class", "boundary", "quality",
                                             "diverts",   "route", "retry",    "admission",
                                             "hedge",     "share", "choice",   "after_first_token"};
  return routing.contains(key.substr(0, key.find_first_of(".[")));
}

}  // namespace troupe::config
