#include "actors/call_stream.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

class CallStream::AttemptSink final : public StreamSink {
 public:
  AttemptSink(std::shared_ptr<CallStream> stream, std::uint64_t attempt, bool resumes,
              std::function<void()> on_content)
      : stream_(std::move(stream)),
        attempt_(attempt),
        resumes_(resumes),
        on_content_(std::move(on_content)) {}

  void on_events(std::span<const StreamEvent> events) override {
    bool first = stream_->hear(attempt_, resumes_, events);
    if (first && on_content_) std::exchange(on_content_, {})();
  }
  void on_taken_back() override {}
  bool full() override { return stream_->sink_->full(); }

 private:
  std::shared_ptr<CallStream> stream_;
  std::uint64_t attempt_;
  bool resumes_;
  std::function<void()> on_content_;
};

SinkPtr CallStream::attempt_sink(std::uint64_t attempt, bool resumes, std::function<void()> on_content) {
  return std::make_shared<AttemptSink>(shared_from_this(), attempt, resumes, std::move(on_content));
}

// True when with this it becomes the one that is heard. What comes before content says nothing to a reader.
bool CallStream::hear(std::uint64_t attempt, bool resumes, std::span<const StreamEvent> events) {
  std::lock_guard lock(mutex_);
  if ((heard_ != 0 && heard_ != attempt) || std::ranges::find(over_, attempt) != over_.end()) return false;
  bool first = heard_ == 0;
  if (first && std::ranges::none_of(events, is_content)) return false;
  heard_ = attempt;
  if (first) splice_.begin(resumes);
  policy::Splice::Output out;
  splice_.feed(events, out);
  tell(out);
  return first;
}

void CallStream::tell(policy::Splice::Output& out) {
  if (out.taken_back) sink_->on_taken_back();
  if (!out.events.empty()) sink_->on_events(out.events);
}

Completion CallStream::ended_well(std::uint64_t attempt, Completion completion) {
  std::lock_guard lock(mutex_);
  policy::Splice::Output out;
  if (heard_ != attempt) {
    splice_.begin();
    splice_.feed(std::vector<StreamEvent>{StreamStopped{completion.stop, completion.unrecognised_stop}}, out);
  }
  splice_.end(true, out);
  tell(out);
  return std::move(splice_).whole(std::move(completion));
}

void CallStream::failed(std::uint64_t attempt) {
  std::lock_guard lock(mutex_);
  over_.push_back(attempt);
  if (heard_ != attempt) return;
  policy::Splice::Output out;
  splice_.end(false, out);
  heard_ = 0;
}

bool CallStream::may_follow() const {
  std::lock_guard lock(mutex_);
  return splice_.may_follow();
}

std::string CallStream::resumable_prefix() const {
  std::lock_guard lock(mutex_);
  return splice_.resumable() ? splice_.prefix() : std::string();
}

namespace {

class FirstTokenSink final : public StreamSink {
 public:
  explicit FirstTokenSink(std::function<void()> tell) : tell_(std::move(tell)) {}
  void on_events(std::span<const StreamEvent> events) override {
    if (tell_ && std::ranges::any_of(events, is_content)) std::exchange(tell_, {})();
  }
  void on_taken_back() override {}

 private:
  std::function<void()> tell_;
};

}  // namespace

SinkPtr first_token_sink(std::function<void()> tell) {
  return std::make_shared<FirstTokenSink>(std::move(tell));
}

}  // namespace troupe::actors
