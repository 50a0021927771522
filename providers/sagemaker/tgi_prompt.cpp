#include "providers/sagemaker/tgi_prompt.hpp"

#include "providers/openai/encode.hpp"

#include <array>
#include <optional>
#include <utility>

namespace troupe::providers::sagemaker {
namespace {

constexpr std::array<std::string_view, 3> kHeads{"### System", "### User", "### Assistant"};
constexpr std::string_view kPromptEnd = "\n\n### Assistant\n";

std::optional<Role> role_of_line(std::string_view line) {
  for (std::size_t i = 0; i < kHeads.size(); ++i)
    if (line == kHeads[i]) return static_cast<Role>(i);
  return std::nullopt;
}

// Calls `on_line` with each line and the offsets of its start and of the next line's.
template <class OnLine>
void each_line(std::string_view text, OnLine on_line) {
  for (std::size_t start = 0; start <= text.size();) {
    auto end = std::min(text.find('\n', start), text.size());
    on_line(text.substr(start, end - start), start, end + 1);
    start = end + 1;
  }
}

bool forges_a_turn(std::string_view text) {
  bool found = false;
  each_line(text, [&](std::string_view line, std::size_t, std::size_t) {
    found = found || role_of_line(line).has_value();
  });
  return found;
}

}  // namespace

Result<std::string> render_prompt(const std::vector<Message>& messages) {
  if (messages.size() == 1 && messages[0].role == Role::user) return openai::joined_text(messages[0]);
  std::string out;
  for (const auto& message : messages) {
    auto text = openai::joined_text(message);
    if (forges_a_turn(text))
      return fail(Errc::bad_request, "a text holds a line that means another speaker in a plain prompt");
    out += kHeads[static_cast<std::size_t>(message.role)];
    out += "\n" + text + "\n\n";
  }
  out += kHeads[2];
  return out + "\n";
}

std::vector<Message> read_prompt(std::string_view prompt) {
  std::vector<Message> out{{Role::user, {TextPart{std::string(prompt)}}}};
  bool ours = role_of_line(prompt.substr(0, prompt.find('\n'))) && prompt.ends_with(kPromptEnd);
  if (!ours) return out;
  out.clear();
  std::size_t from = 0;
  auto close = [&](std::size_t to) {
    auto text = prompt.substr(from, to - from);
    if (text.ends_with("\n\n")) text.remove_suffix(2);
    if (!out.empty()) out.back().parts.emplace_back(TextPart{std::string(text)});
  };
  each_line(prompt, [&](std::string_view line, std::size_t start, std::size_t next) {
    auto role = role_of_line(line);
    if (!role) return;
    close(start);
    from = next;
    out.push_back({*role, {}});
  });
  // The last head is the answer's.
  out.pop_back();
  return out;
}

}  // namespace troupe::providers::sagemaker
