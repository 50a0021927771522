#include "agents/declared/template.hpp"

#include <fmt/format.h>

namespace troupe::declared {

Result<Template> Template::parse(std::string_view text) {
  Template out;
  while (!text.empty()) {
    auto open = std::min(text.find("{{"), text.size());
    if (open > 0) out.pieces_.emplace_back(std::string(text.substr(0, open)));
    text.remove_prefix(open);
    if (text.empty()) break;
    text.remove_prefix(2);
    std::size_t used = 0;
    auto expression = parse_braced(text, used);
    if (!expression) {
      auto shown = text.substr(0, std::min<std::size_t>(text.find('\n'), 60));
      return fail(Errc::bad_config, fmt::format("in {{{{{}: {} of it", shown, expression.error().what));
    }
    out.pieces_.emplace_back(std::move(*expression));
    text.remove_prefix(used);
  }
  return out;
}

Result<std::string> Template::text(const Scope& scope) const {
  std::string out;
  for (const auto& piece : pieces_) {
    if (const auto* plain = std::get_if<std::string>(&piece)) {
      out += *plain;
      continue;
    }
    auto value = evaluate(*std::get<ExpressionPtr>(piece), scope);
    if (!value) return std::unexpected(value.error());
    out += to_text(**value);
    if (out.size() > kTextBytesMax)
      return fail(Errc::invalid_input, fmt::format("a text became longer than {} bytes", kTextBytesMax));
  }
  return out;
}

Result<Json> Template::value(const Scope& scope) const {
  if (pieces_.size() == 1 && std::holds_alternative<ExpressionPtr>(pieces_[0])) {
    auto value = evaluate(*std::get<ExpressionPtr>(pieces_[0]), scope);
    if (!value) return std::unexpected(value.error());
    return **value;
  }
  auto whole = text(scope);
  if (!whole) return std::unexpected(whole.error());
  return Json(std::move(*whole));
}

void Template::each_expression(const std::function<void(const Expression&)>& visit) const {
  for (const auto& piece : pieces_)
    if (const auto* expression = std::get_if<ExpressionPtr>(&piece)) visit(**expression);
}

ValueTemplate ValueTemplate::parse(const Json& json,
                                   const std::function<void(const std::string&, const std::string&)>& wrong) {
  ValueTemplate out;
  auto below = [&wrong](const Json& each, const std::string& place) {
    return parse(each, [&](const auto& where, const auto& what) { wrong(place + where, what); });
  };
  if (json.is_string()) {
    auto text = Template::parse(json.get_ref<const std::string&>());
    if (text)
      out.content_ = std::move(*text);
    else
      wrong("", text.error().what);
  } else if (json.is_array()) {
    List list;
    for (const auto& each : json) list.push_back(below(each, fmt::format("[{}]", list.size())));
    out.content_ = std::move(list);
  } else if (json.is_object()) {
    Object object;
    for (const auto& [name, each] : json.items()) object.emplace_back(name, below(each, "." + name));
    out.content_ = std::move(object);
  } else {
    out.content_ = json;
  }
  return out;
}

Result<Json> ValueTemplate::value(const Scope& scope) const {
  if (const auto* plain = std::get_if<Json>(&content_)) return *plain;
  if (const auto* text = std::get_if<Template>(&content_))
    return text->empty() ? Json("") : text->value(scope);
  if (const auto* list = std::get_if<List>(&content_)) {
    auto out = Json::array();
    for (const auto& each : *list) {
      auto value = each.value(scope);
      if (!value) return value;
      out.push_back(std::move(*value));
    }
    return out;
  }
  auto out = Json::object();
  for (const auto& [name, each] : std::get<Object>(content_)) {
    auto value = each.value(scope);
    if (!value) return value;
    out[name] = std::move(*value);
  }
  return out;
}

void ValueTemplate::each_expression(const std::function<void(const Expression&)>& visit) const {
  if (const auto* text = std::get_if<Template>(&content_)) text->each_expression(visit);
  if (const auto* list = std::get_if<List>(&content_))
    for (const auto& each : *list) each.each_expression(visit);
  if (const auto* object = std::get_if<Object>(&content_))
    for (const auto& [name, each] : *object) each.each_expression(visit);
}

}  // namespace troupe::declared
