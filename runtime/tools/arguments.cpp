#include "runtime/tools/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::tools {

Arguments::Arguments(const JsonText& input) : object_(Json::object()) {
  auto parsed = read(input);
  if (parsed)
    object_ = std::move(*parsed);
  else
    complain(std::move(parsed.error().what));
}

Result<Json> Arguments::read(const JsonText& input) {
  if (input.text.size() > bytes_max)
    return fail(Errc::invalid_input, fmt::format("the arguments exceed {} bytes", bytes_max));
  auto parsed = parse_json(input.text.empty() ? "{}" : std::string_view(input.text));
  if (!parsed) return fail(Errc::invalid_input, "the arguments are no JSON: " + parsed.error().what);
  if (!parsed->is_object()) return fail(Errc::invalid_input, "the arguments are no JSON object");
  return parsed;
}

void Arguments::complain(std::string what) {
  if (!complaint_) complaint_ = make_error(Errc::invalid_input, std::move(what));
}

const Json* Arguments::member(std::string_view name) {
  const auto* found = find(object_, name);
  known_ += found ? 1 : 0;
  return found && !found->is_null() ? found : nullptr;
}

std::string Arguments::text(std::string_view name) {
  const auto* found = member(name);
  if (found && found->is_string()) return found->get<std::string>();
  complain(fmt::format("\"{}\" must be a string", name));
  return {};
}

std::string Arguments::text_or_none(std::string_view name) {
  const auto* found = member(name);
  if (found && !found->is_string()) complain(fmt::format("\"{}\" must be a string", name));
  return found && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t Arguments::integer_or(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                   std::int64_t most) {
  const auto* found = member(name);
  if (!found) return otherwise;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > static_cast<std::uint64_t>(most))
    return most;
  if (found->is_number_integer()) return std::clamp(found->get<std::int64_t>(), least, most);
  complain(fmt::format("\"{}\" must be a whole number", name));
  return otherwise;
}

Result<void> Arguments::check() const {
  if (complaint_) return std::unexpected(*complaint_);
  if (known_ < object_.size())
    return fail(Errc::invalid_input, "there are arguments that this tool does not have");
  return {};
}

}  // namespace troupe::tools
