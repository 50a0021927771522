// The same description walked twice more: to print values, and to list keys.
#include "runtime/config/fields.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <concepts>
#include <type_traits>

namespace troupe::config {
namespace {

std::string value_text(const std::string& value) { return fmt::format("\"{}\"", value); }
std::string value_text(bool value) { return value ? "true" : "false"; }
std::string value_text(double value) { return number_text(value); }
std::string value_text(Duration value) { return duration_text(value); }
std::string value_text(const SecretRef& value) { return value.reference; }
std::string value_text(const JsonValue& value) { return value.text; }
template <class T>
requires(std::unsigned_integral<T> && !std::same_as<T, bool>) std::string value_text(T value) {
  return fmt::format("{}", value);
}
template <class T>
requires std::is_enum_v<T> std::string value_text(T value) { return to_string(value); }

template <class T>
concept SingleValue = requires(const T& value) {
  value_text(value);
};

class ConfigPrinter {
 public:
  explicit ConfigPrinter(std::string& out, std::string path = {}) : out_(out), path_(std::move(path)) {}

  template <class T>
  void operator()(const std::string& key, T& value) {
    print(path_.empty() ? key : path_ + "." + key, value);
  }
  template <class T>
  void list(const std::string& key, std::vector<T>& values, const T&) {
    (*this)(key, values);
  }

 private:
  template <SingleValue T>
  void print(const std::string& path, T& value) {
    out_ += fmt::format("{} = {}\n", path, value_text(value));
  }
  template <class T>
  void print(const std::string& path, std::vector<T>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) print(fmt::format("{}[{}]", path, i), values[i]);
  }
  template <class T>
  void print(const std::string& path, std::map<std::string, T>& values) {
    for (auto& [name, value] : values) print(path + "." + name, value);
  }
  template <class T>
  requires(std::is_class_v<T> && !SingleValue<T>) void print(const std::string& path, T& value) {
    ConfigPrinter below(out_, path);
    fields(below, value);
  }

  std::string& out_;
  std::string path_;
};

class KeyLister {
 public:
  explicit KeyLister(std::set<std::string>& out, std::string path = {}) : out_(out), path_(std::move(path)) {}

  template <class T>
  void operator()(const std::string& key, T& value) {
    add(path_.empty() ? key : path_ + "." + key, value);
  }
  template <class T>
  void list(const std::string& key, std::vector<T>& values, const T&) {
    (*this)(key, values);
  }

 private:
  template <SingleValue T>
  void add(const std::string& path, T&) {
    out_.insert(path);
  }
  template <class T>
  void add(const std::string& path, std::vector<T>&) {
    T entry{};
    add(path + "[]", entry);
  }
  template <class T>
  void add(const std::string& path, std::map<std::string, T>&) {
    T entry{};
    add(path + ".*", entry);
  }
  template <class T>
  requires(std::is_class_v<T> && !SingleValue<T>) void add(const std::string& path, T& value) {
    KeyLister below(out_, path);
    fields(below, value);
  }

  std::set<std::string>& out_;
  std::string path_;
};

}  // namespace

std::string to_text(const Config& config) {
  std::string out;
  ConfigPrinter printer(out);
  auto copy = config;
  fields(printer, copy);
  return out;
}

std::set<std::string> known_keys() {
  std::set<std::string> out;
  KeyLister lister(out);
  Config config;
  fields(lister, config);
  return out;
}

}  // namespace troupe::config
