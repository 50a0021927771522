// A SAX handler that knows where it is in the document and forgets what nobody asked for.
#include "agents/slack/records.hpp"

#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::slack {
namespace {

constexpr std::size_t kDepthMax = 512;

class RecordHandler final : public nlohmann::json_sax<Json> {
 public:
  RecordHandler(std::span<const std::string_view> wanted, const RecordVisitor& visit)
      : wanted_(wanted), visit_(visit) {}

  bool null() override { return scalar({}, false); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return scalar(fmt::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(fmt::to_string(value)); }
  bool number_float(number_float_t, const string_t& written) override { return scalar(written); }
  bool string(string_t& value) override { return scalar(std::move(value)); }
  bool binary(binary_t&) override { return refuse("not JSON text"); }

  bool start_array(std::size_t) override {
    if (bases_.size() == 1) ++strangers_;
    return open();
  }
  bool end_array() override { return close(); }

  bool start_object(std::size_t) override {
    if (bases_.empty()) return refuse("not a JSON array");
    if (bases_.size() == 1) record_.values.clear();
    return open();
  }
  bool key(string_t& name) override {
    path_.resize(bases_.back());
    if (!path_.empty()) path_ += '.';
    path_ += name;
    return true;
  }
  bool end_object() override {
    close();
    if (bases_.size() == 1) visit_(record_);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    error_at_ = position;
    return false;
  }

  const std::string& refused() const { return refused_; }
  std::size_t error_at() const { return error_at_; }
  std::size_t strangers() const { return strangers_; }

 private:
  bool refuse(std::string why) {
    refused_ = std::move(why);
    return false;
  }

  bool open() {
    if (bases_.size() >= kDepthMax) return refuse(fmt::format("nested deeper than {} levels", kDepthMax));
    bases_.push_back(path_.size());
    return true;
  }

  bool close() {
    path_.resize(bases_.back());
    bases_.pop_back();
    return true;
  }

  bool scalar(std::string value, bool keep = true) {
    if (bases_.empty()) return refuse("not a JSON array");
    if (bases_.size() == 1) {
      ++strangers_;
      return true;
    }
    auto it = std::ranges::find(wanted_, std::string_view(path_));
    if (keep && it != wanted_.end()) record_.values.emplace_back(*it, std::move(value));
    return true;
  }

  std::span<const std::string_view> wanted_;
  const RecordVisitor& visit_;
  Record record_;
  // The keys from the record down to here, and for every open container the length of the path at its start.
  std::string path_;
  std::vector<std::size_t> bases_;
  std::string refused_;
  std::size_t error_at_ = 0;
  std::size_t strangers_ = 0;
};

std::string describe_failure(std::string_view text, const RecordHandler& handler) {
  if (!handler.refused().empty()) return handler.refused();
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return "empty file";
  if (handler.error_at() > text.size())
    return fmt::format("cut short: JSON ends early at byte {}", text.size());
  if (!is_utf8(text)) return fmt::format("not valid UTF-8 near byte {}", handler.error_at());
  return fmt::format("not JSON at byte {}", handler.error_at());
}

}  // namespace

std::string_view Record::get(std::string_view path) const {
  auto it = std::ranges::find(values, path, [](const auto& entry) { return entry.first; });
  return it == values.end() ? std::string_view() : std::string_view(it->second);
}

bool Record::has(std::string_view path) const {
  return std::ranges::any_of(values, [&](const auto& entry) { return entry.first == path; });
}

std::vector<std::string_view> Record::all(std::string_view path) const {
  std::vector<std::string_view> out;
  for (const auto& [key, value] : values) {
    if (key == path) out.emplace_back(value);
  }
  return out;
}

Result<std::size_t> read_records(std::string_view text, std::span<const std::string_view> wanted,
                                 const RecordVisitor& visit) {
  RecordHandler handler(wanted, visit);
  if (Json::sax_parse(text, &handler)) return handler.strangers();
  return fail(Errc::invalid_input, describe_failure(text, handler));
}

}  // namespace troupe::slack
