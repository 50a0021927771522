// Every dialect's stream decoder, and its server's writer of the same events.
#include "providers/dialect.hpp"
#include "providers/serve.hpp"
#include "runtime/json/json.hpp"
#include "tests/fuzz/frames.hpp"
#include "tests/fuzz/targets.hpp"

namespace troupe::fuzz {
namespace {

using providers::Dialect;

struct StreamRead {
  std::vector<StreamEvent> events;
  bool fed = true, finished = true;
  friend bool operator==(const StreamRead&, const StreamRead&) = default;
};

StreamRead read_stream(const Dialect& dialect, const std::vector<std::string_view>& pieces) {
  StreamRead out;
  auto decoder = dialect.stream_decoder();
  for (auto piece : pieces)
    if (out.fed) out.fed = decoder->feed(piece, out.events).has_value();
  out.finished = decoder->finish(out.events).has_value();
  return out;
}

template <class Event>
int count_of(const std::vector<StreamEvent>& events) {
  return static_cast<int>(
      std::ranges::count_if(events, [](const auto& event) { return std::holds_alternative<Event>(event); }));
}

bool is_object_or_empty(const JsonText& json) {
  if (json.text.empty()) return true;
  auto value = parse_json(json.text);
  return value && value->is_object();
}

void check_event(const StreamEvent& event, int& tools, bool stopped) {
  require(!stopped || !is_content(event), "no content after the end");
  if (const auto* started = std::get_if<ToolUseStarted>(&event))
    require(started->index == tools++, "tool calls are numbered in order");
  if (const auto* delta = std::get_if<ToolInputDelta>(&event))
    require(delta->index >= 0 && delta->index < tools, "arguments belong to a call that has started");
  if (const auto* details = std::get_if<DetailsReported>(&event))
    require(stopped && is_object_or_empty(details->extra), "details come last and are an object");
  if (const auto* usage = std::get_if<UsageReported>(&event)) {
    const auto& u = usage->usage;
    require(std::min({u.input, u.output, u.cache_read, u.cache_write, u.reasoning, u.cache_write_1h}) >= 0,
            "no usage is below zero");
  }
}

// What completion.hpp promises of any stream.
void check_order(const StreamRead& read) {
  int tools = 0;
  bool stopped = false;
  for (const auto& event : read.events) {
    check_event(event, tools, stopped);
    stopped = stopped || std::holds_alternative<StreamStopped>(event);
  }
  require(count_of<StreamStarted>(read.events) <= 1, "a stream starts once");
  require(count_of<StreamStopped>(read.events) <= 1, "a stream stops once");
  require(count_of<DetailsReported>(read.events) <= 1, "details come at most once");
  require(count_of<UsageReported>(read.events) <= 1, "usage comes at most once");
  require(!(read.fed && read.finished) || stopped, "a whole stream has its end");
}

Completion sum_of(const std::vector<StreamEvent>& events) {
  CompletionBuilder builder;
  for (const auto& event : events) builder.add(event);
  return std::move(builder).take();
}

// A server must be able to say what its own client understood.
void check_written(const Dialect& dialect, const std::vector<StreamEvent>& events) {
  auto writer = providers::find_dialect_server(dialect.name())->stream_writer({});
  std::string bytes;
  for (const auto& event : events) bytes += writer->write(event);
  bytes += writer->finish();
  auto again = read_stream(dialect, {bytes});
  require(again.fed && again.finished, "a stream that was whole is written whole");
  require(sum_of(again.events).text() == sum_of(events).text(), "the text is written as it was read");
}

}  // namespace

// DIALECT SEED FORM bytes. DIALECT by its place in dialect_names(). FORM 1: event-stream frames whose
// checksums are set right; 2: frames_of_lines.
void fuzz_stream(std::string_view input) {
  Input in(input);
  static const auto names = providers::dialect_names();
  const auto& dialect = *providers::find_dialect(names[in.number(static_cast<unsigned>(names.size()))]);
  auto seed = in.number(256);
  auto form = in.number(3);
  std::string bytes(in.rest());
  if (form == 1) bytes = with_checksums(bytes);
  if (form == 2) bytes = frames_of_lines(bytes);
  auto whole = read_stream(dialect, {bytes});
  require(read_stream(dialect, pieces_of(bytes, seed)) == whole, "a stream reads the same however it is cut");
  check_order(whole);
  sum_of(whole.events);
  if (whole.fed && whole.finished) check_written(dialect, whole.events);
}

}  // namespace troupe::fuzz
