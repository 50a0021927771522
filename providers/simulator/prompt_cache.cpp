#include "providers/simulator/prompt_cache.hpp"

#include "providers/simulator/extractive.hpp"
#include "runtime/base/rng.hpp"

#include <algorithm>

namespace troupe::providers::simulator {
namespace {

struct Prefix {
  std::uint64_t hash = 0;
  std::int64_t tokens = 0;
};

// Of the longest marked prefix; no tokens when nothing is marked.
Prefix marked_prefix(const CompletionRequest& request) {
  Prefix running{.hash = 1}, marked;
  for (const auto& tool : request.tools) {
    running.hash = stable_hash(tool.name + tool.input_schema.text, running.hash);
    running.tokens += count_tokens(tool.description) + count_tokens(tool.input_schema.text);
  }
  for (const auto& message : request.messages) {
    for (const auto& part : message.parts) {
      const auto* text = std::get_if<TextPart>(&part);
      if (text == nullptr) continue;
      running.hash = stable_hash(text->text, running.hash);
      running.tokens += count_tokens(text->text);
      if (text->cache_point) marked = running;
    }
  }
  return marked;
}

}  // namespace

Usage PromptCache::look(const CompletionRequest& request, Instant now) const {
  Usage usage;
  usage.input = count_input_tokens(request);
  auto prefix = marked_prefix(request);
  auto cached = std::min(prefix.tokens, usage.input);
  auto known = last_used_.find(prefix.hash);
  bool is_new = known == last_used_.end() || known->second + kept_for <= now;
  (is_new ? usage.cache_write : usage.cache_read) = cached;
  usage.input -= cached;
  return usage;
}

Usage PromptCache::charge(const CompletionRequest& request, Instant now) {
  auto usage = look(request, now);
  auto prefix = marked_prefix(request);
  if (prefix.tokens == 0) return usage;
  forget_old(now);
  last_used_[prefix.hash] = now;
  return usage;
}

void PromptCache::forget_old(Instant now) {
  std::erase_if(last_used_, [&](const auto& entry) { return entry.second + kept_for <= now; });
  while (last_used_.size() >= prefixes_max) {
    last_used_.erase(
        std::ranges::min_element(last_used_, {}, [](const auto& entry) { return entry.second; }));
  }
}

}  // namespace troupe::providers::simulator
