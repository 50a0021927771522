#include "runtime/tools/fetch.hpp"

#include "runtime/base/characters.hpp"
#include "runtime/http/lookups.hpp"
#include "runtime/http/loop.hpp"
#include "runtime/tools/arguments.hpp"
#include "runtime/tools/html_text.hpp"
#include "runtime/tools/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

namespace troupe::tools {
namespace {

constexpr std::array<std::string_view, 5> kReadable = {
    "text/", "application/json", "application/xml", "application/xhtml+xml",
    "application/ld+json"};

bool host_fits(const FetchHost &allowed, const std::string &host) {
  if (!allowed.host.starts_with("*."))
    return allowed.host == host;
  return host.size() > allowed.host.size() - 1 &&
         host.ends_with(allowed.host.substr(1));
}

const FetchHost *allowed_host(const std::vector<FetchHost> &hosts,
                              const std::string &host) {
  auto found = std::ranges::find_if(
      hosts, [&](const FetchHost &one) { return host_fits(one, host); });
  return found == hosts.end() ? nullptr : &*found;
}

std::string media_type(const http::ResponseHead &head) {
  const auto *type = http::find_header(head.headers, "content-type");
  std::string out = type ? type->substr(0, type->find(';')) : "";
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  });
  while (out.ends_with(' '))
    out.pop_back();
  return out;
}

bool redirects(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 ||
         status == 308;
}

class FetchTool;

/// One page on its way, through its redirects. Loop thread only, but for `end`
/// once the loop has stopped.
class PageFetch final : public http::ExchangeSink,
                        public std::enable_shared_from_this<PageFetch> {
public:
  PageFetch(FetchTool &tool, std::function<void(Result<ToolOutput>)> done)
      : tool_(tool), done_(std::move(done)) {}
  void begin(const WebAddress &address, Duration time_max);
  void on_head(const http::ResponseHead &head) override;
  void on_body(std::string_view bytes) override;
  void on_end(Result<void> ended) override;
  void end(Result<ToolOutput> result);

private:
  void go(const WebAddress &address);
  void stop(std::string why);
  ToolOutput shown() const;

  FetchTool &tool_;
  std::function<void(Result<ToolOutput>)> done_;
  std::unique_ptr<http::Loop::Timer> timer_;
  std::shared_ptr<http::Exchange> exchange_;
  WebAddress address_;
  http::ResponseHead head_;
  std::string body_, refusal_;
  int hops_ = 0;
};

class FetchTool final : public Tool {
public:
  explicit FetchTool(const FetchConfig &given)
      : config(given),
        lookups_(std::make_shared<http::Lookups>(loop.impl(), given.resolve)),
        open_client_(
            std::make_unique<http::Client>(loop, client_config(false))),
        private_client_(
            std::make_unique<http::Client>(loop, client_config(true))) {}
  ~FetchTool() override {
    loop.stop();
    std::unique_lock lock(mutex_);
    auto running = std::exchange(running_, {});
    lock.unlock();
    for (auto &[key, page] : running)
      page->end(fail(Errc::cancelled, "the tool is being closed"));
  }
  const ToolSpec &spec() const override { return spec_; }

  void call(const ToolContext &context, const JsonText &input,
            std::function<void(Result<ToolOutput>)> done) override {
    Arguments arguments(input);
    auto url = arguments.text("url");
    if (auto fits = arguments.check(); !fits)
      return done(std::unexpected(fits.error()));
    auto address = parse_web_address(url);
    if (!address)
      return done(tool_error(address.error().what));
    auto page = std::make_shared<PageFetch>(*this, done);
    {
      std::lock_guard lock(mutex_);
      bool full = running_.size() >= config.running_max;
      if (!full)
        running_.emplace(page.get(), page);
      if (full)
        page.reset();
    }
    if (!page)
      return done(fail(Errc::refused, "too many pages are on their way"));
    auto time = std::min(context.deadline, config.time_max);
    loop.post([page, address = std::move(*address), time] {
      page->begin(address, time);
    });
  }

  std::shared_ptr<http::Exchange>
  start(const WebAddress &address, bool private_addresses,
        std::shared_ptr<http::ExchangeSink> sink) {
    http::Request request{
        .method = "GET",
        .target = address.target,
        .headers = {{"Accept", "text/html, text/*, application/json;q=0.9, "
                               "application/xml;q=0.8"},
                    {"Accept-Encoding", "identity"},
                    {"User-Agent", "troupe"}}};
    auto &client = private_addresses ? *private_client_ : *open_client_;
    return client.start(address.origin, std::move(request),
                        {.total = config.time_max}, std::move(sink));
  }
  void forget(PageFetch *page) {
    std::lock_guard lock(mutex_);
    running_.erase(page);
  }

  const FetchConfig config;
  http::Loop loop;

private:
  /// The guard stands where addresses are found: what it lets through is what
  /// is connected to.
  http::ClientConfig client_config(bool private_addresses) {
    http::ClientConfig out{.body_bytes_max = config.body_bytes_max,
                           .ca_file = config.ca_file};
    // A connection is never shared between pages: each judges its own
    // addresses.
    out.idle_per_origin_max = 0;
    out.resolve = [this, private_addresses](const std::string &host,
                                            http::Found found) {
      lookups_->find(host, [private_addresses,
                            found](Result<std::vector<std::string>> addresses) {
        if (addresses && !private_addresses)
          std::erase_if(*addresses, [](const std::string &one) {
            return !is_public_address(one);
          });
        if (addresses && addresses->empty())
          return found(
              fail(Errc::permission, "its address is not a public one"));
        found(std::move(addresses));
      });
    };
    return out;
  }

  std::mutex mutex_; // of running_
  std::map<PageFetch *, std::shared_ptr<PageFetch>> running_;
  std::shared_ptr<http::Lookups> lookups_;
  std::unique_ptr<http::Client> open_client_, private_client_;
  const ToolSpec spec_{
      "fetch",
      "Reads a web page by its http or https address and shows its text. Only "
      "some hosts may be read.",
      {R"({"type":"object","properties":{"url":{"type":"string"}},"required":["url"],)"
       R"("additionalProperties":false})"}};
};

void PageFetch::begin(const WebAddress &address, Duration time_max) {
  timer_ = tool_.loop.after(time_max, [weak = weak_from_this()] {
    if (auto self = weak.lock())
      self->stop("The page took too long.");
  });
  go(address);
}

void PageFetch::go(const WebAddress &address) {
  const auto &host = address.origin.host;
  const auto *allowed = allowed_host(tool_.config.hosts, host);
  if (!allowed)
    return end(tool_error(fmt::format("The host {} may not be read.", host)));
  if (!allowed->private_addresses && is_numeric_host(host) &&
      !is_public_address(host))
    return end(tool_error("That address is not a public one."));
  address_ = address;
  head_ = {};
  body_.clear();
  exchange_ =
      tool_.start(address, allowed->private_addresses, shared_from_this());
}

void PageFetch::on_head(const http::ResponseHead &head) {
  head_ = head;
  auto type = media_type(head);
  bool readable = std::ranges::any_of(
      kReadable, [&](std::string_view kind) { return type.starts_with(kind); });
  if (head.status == 200 && !readable)
    stop(fmt::format("The page is {}, which is no text.", type.substr(0, 100)));
}

void PageFetch::on_body(std::string_view bytes) {
  if (head_.status == 200 && refusal_.empty())
    body_ += bytes;
}

/// From within the exchange's own calls: it may only be cancelled later.
void PageFetch::stop(std::string why) {
  if (!refusal_.empty() || !done_)
    return;
  refusal_ = std::move(why);
  tool_.loop.post([exchange = exchange_] {
    if (exchange)
      exchange->cancel();
  });
}

void PageFetch::on_end(Result<void> ended) {
  if (!refusal_.empty())
    return end(tool_error(refusal_));
  if (!ended)
    return end(tool_error("The page could not be read: " + ended.error().what));
  const auto *location = http::find_header(head_.headers, "location");
  if (redirects(head_.status) && location) {
    auto next = resolve_web_address(address_, *location);
    if (!next)
      return end(
          tool_error("The page leads to an address that cannot be used."));
    if (address_.origin.tls && !next->origin.tls)
      return end(tool_error("The page leads from https to http."));
    if (++hops_ > tool_.config.redirects_max)
      return end(tool_error("The page leads from address to address."));
    return go(*next);
  }
  if (head_.status != 200)
    return end(
        tool_error(fmt::format("The server answered {}.", head_.status)));
  end(shown());
}

ToolOutput PageFetch::shown() const {
  Json out = {{"url", to_string(address_)}};
  auto body = to_valid_utf8(body_);
  auto type = media_type(head_);
  if (type == "text/html" || type == "application/xhtml+xml") {
    auto page = html_text(body);
    if (!page.title.empty())
      out["title"] = page.title;
    body = std::move(page.text);
  }
  bool cut = body.size() > tool_.config.text_bytes_max;
  if (cut)
    cut_to(body, tool_.config.text_bytes_max);
  out["text"] = std::move(body);
  if (cut)
    out["cut"] = true;
  return {.text = dump_json(out)};
}

void PageFetch::end(Result<ToolOutput> result) {
  auto done = std::exchange(done_, {});
  timer_.reset();
  exchange_.reset();
  if (!done)
    return;
  auto self = shared_from_this();
  tool_.forget(this);
  done(std::move(result));
}

} // namespace

ToolPtr make_fetch_tool(const FetchConfig &config) {
  return std::make_shared<FetchTool>(config);
}

} // namespace troupe::tools
