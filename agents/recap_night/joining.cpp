// Both tools pass their input on as JSON, which is how it is recorded what was asked.
#include "agents/recap_night/joining.hpp"

#include "runtime/base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

namespace troupe::recap_night {
namespace {

class JoiningTool final : public Tool {
 public:
  explicit JoiningTool(std::shared_ptr<SharedRuns> runs) : runs_(std::move(runs)) {}
  const ToolSpec& spec() const override { return spec_; }
  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    auto asked = parse_json(input.text);
    if (!asked) return done(std::unexpected(asked.error()));
    RunSpec spec;
    spec.workflow = get_string(*asked, "workflow");
    spec.run_id = get_string(*asked, "run_id");
    spec.input = {get_string(*asked, "input")};
    spec.tenant = context.tenant;
    runs_->join(std::move(spec), {get_int(*asked, "due")},
                [done = std::move(done)](const RunReport& report) { done(answer_of(report)); });
  }

 private:
  static Result<ToolOutput> answer_of(const RunReport& report) {
    if (report.end == RunEnd::done) return ToolOutput{report.run_id, false, {}};
    auto error = report.error.value_or(make_error(Errc::cancelled, "the run was stopped"));
    // What stands in the way of one run passes; a run that was asked for wrongly stays wrong.
    error.retryable = error.code != Errc::not_found && error.code != Errc::invalid_input;
    return std::unexpected(std::move(error));
  }

  std::shared_ptr<SharedRuns> runs_;
  ToolSpec spec_{"join_run", "waits for a run that others need too", {"{}"}};
};

class DeliveryTool final : public Tool {
 public:
  explicit DeliveryTool(NightWorld world) : world_(std::move(world)) {}
  const ToolSpec& spec() const override { return spec_; }
  void call(const ToolContext&, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    done(deliver(input));
  }

 private:
  Result<ToolOutput> deliver(const JsonText& input) {
    auto letter = read_letter(input);
    if (!letter) return std::unexpected(letter.error());
    if (!world_.source->reader(letter->user).opted_in) return ToolOutput{"opted out", false, {}};
    auto put = world_.mailbox->put(still_shown(*letter, *world_.source));
    if (!put) {
      // Once: a folder that is full fails for everyone, again and again.
      if (!warned_.exchange(true))
        log::warn("recap_night", fmt::format("the recap of {} was not delivered and is tried again: {}",
                                             letter->user, put.error().what));
      put.error().retryable = true;
      return std::unexpected(put.error());
    }
    return ToolOutput{*put ? "delivered" : "delivered before", false, {}};
  }

  NightWorld world_;
  std::atomic<bool> warned_ = false;
  ToolSpec spec_{"deliver_recap", "puts a recap into its reader's mailbox", {"{}"}};
};

}  // namespace

JsonText to_text(const Joining& joining) {
  Json out;
  out["workflow"] = joining.workflow;
  out["run_id"] = joining.run_id;
  out["input"] = joining.input.text;
  out["due"] = joining.due.ms;
  return {dump_json(out)};
}

ToolPtr make_joining(std::shared_ptr<SharedRuns> runs) {
  return std::make_shared<JoiningTool>(std::move(runs));
}

JsonText to_text(const Letter& letter) {
  Json out;
  out["key"] = letter.key;
  out["user"] = letter.user;
  out["date"] = letter.date;
  out["items"] = to_json(letter.items);
  out["missing"] = letter.missing;
  out["uncondensed"] = letter.uncondensed;
  out["until"] = letter.until.ms;
  return {dump_json(out)};
}

Result<Letter> read_letter(const JsonText& text) {
  auto value = parse_json(text.text);
  if (!value) return std::unexpected(value.error());
  Letter out;
  out.key = get_string(*value, "key");
  out.user = get_string(*value, "user");
  out.date = get_string(*value, "date");
  if (out.key.empty() || out.user.empty()) return fail(Errc::invalid_input, "this is no letter");
  if (const auto* items = find(*value, "items")) out.items = read_items(*items);
  if (const auto* missing = find(*value, "missing"); missing != nullptr && missing->is_array())
    for (const auto& channel : *missing)
      if (channel.is_string()) out.missing.push_back(channel.get<std::string>());
  out.uncondensed = get_bool(*value, "uncondensed");
  out.until = {get_int(*value, "until")};
  return out;
}

Letter still_shown(Letter letter, NightSource& source) {
  auto reader = source.reader(letter.user);
  auto readable = [&](const std::string& channel) {
    return std::ranges::binary_search(reader.channels, channel) && source.allowed(channel);
  };
  auto shown = [&](const Item& item) {
    return std::ranges::all_of(item.sources, [&](const SourceMessage& message) {
      return readable(message.channel) && source.stands(message);
    });
  };
  std::erase_if(letter.items, [&](const Item& item) { return !shown(item); });
  std::erase_if(letter.missing, [&](const std::string& channel) { return !readable(channel); });
  return letter;
}

ToolPtr make_delivery(NightWorld world) { return std::make_shared<DeliveryTool>(std::move(world)); }

}  // namespace troupe::recap_night
