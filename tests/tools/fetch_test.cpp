// Reading web pages through a guard: which hosts, which addresses, how much.
#include "runtime/tools/fetch.hpp"
#include "runtime/http/server.hpp"
#include "runtime/tools/url.hpp"

#include "tests/tools/support/call.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>

namespace troupe::tools {
namespace {

constexpr const char* kBadUrls[] = {"",
                                    "example.org",
                                    "ftp://a/",
                                    "file:///etc/passwd",
                                    "gopher://a",
                                    "http://",
                                    "http:///x",
                                    "http://a b/",
                                    "http://user@a/",
                                    "http://a@b@c/",
                                    "http://a:0/",
                                    "http://a:99999/",
                                    "http://a:8x/",
                                    "http://[::1/",
                                    "http://[::1]x/",
                                    "http://a\\b/",
                                    "http://a\r\nX: y/",
                                    "http://\xc3\xa9/",
                                    "http://a%2eb/",
                                    "javascript:alert(1)",
                                    "//a/b",
                                    "http://a/\x01"};

TEST(WebAddress, IsReadStrictly) {
  auto told = [](std::string_view url) {
    auto address = parse_web_address(url);
    return address ? to_string(*address) : std::string();
  };
  EXPECT_EQ(told("HTTP://Example.ORG./a?b#c"), "http://example.org/a?b");
  EXPECT_EQ(told("https://example.org"), "https://example.org/");
  EXPECT_EQ(told("https://example.org:8443?q"), "https://example.org:8443/?q");
  EXPECT_EQ(told("http://[::1]:80/x"), "http://[::1]/x");
  for (std::string bad : kBadUrls) EXPECT_EQ(told(bad), "") << bad;
}

TEST(WebAddress, FollowsLocations) {
  auto base = *parse_web_address("https://a.org/x/y?z");
  auto to = [&](std::string_view location) {
    auto next = resolve_web_address(base, location);
    return next ? to_string(*next) : std::string();
  };
  EXPECT_EQ(to("/b"), "https://a.org/b");
  EXPECT_EQ(to("b?c#d"), "https://a.org/x/b?c");
  EXPECT_EQ(to("?q"), "https://a.org/x/y?q");
  EXPECT_EQ(to("//b.org/c"), "https://b.org/c");
  EXPECT_EQ(to("http://b.org"), "http://b.org/");
  EXPECT_EQ(to("file:///etc/passwd"), "");
}

constexpr const char* kOpenAddresses[] = {"8.8.8.8",           "1.1.1.1",         "172.15.0.1",
                                          "172.32.0.1",        "192.167.1.1",     "100.63.0.1",
                                          "223.255.255.255",   "2606:4700::1111", "2001:4860:4860::8888",
                                          "2002:0808:0808::1", "64:ff9b::808:808"};

constexpr const char* kClosedAddresses[] = {"127.0.0.1",
                                            "127.255.255.255",
                                            "0.0.0.0",
                                            "0.1.2.3",
                                            "10.0.0.1",
                                            "172.16.0.1",
                                            "172.31.255.255",
                                            "192.168.0.1",
                                            "169.254.169.254",
                                            "100.64.0.1",
                                            "100.127.255.255",
                                            "192.0.0.8",
                                            "192.0.2.1",
                                            "198.18.0.1",
                                            "198.51.100.1",
                                            "203.0.113.9",
                                            "224.0.0.1",
                                            "255.255.255.255",
                                            "240.0.0.1",
                                            "::",
                                            "::1",
                                            "fe80::1",
                                            "fe80::1%eth0",
                                            "fc00::1",
                                            "fd00:ec2::254",
                                            "ff02::1",
                                            "::ffff:127.0.0.1",
                                            "::ffff:8.8.8.8",
                                            "::ffff:7f00:1",
                                            "::127.0.0.1",
                                            "2002:7f00:1::",
                                            "2002:a00:1::1",
                                            "64:ff9b::7f00:1",
                                            "64:ff9b::10.0.0.1",
                                            "2001:db8::1",
                                            "2001::1",
                                            "100::1",
                                            "fec0::1",
                                            "",
                                            "localhost",
                                            "127.1",
                                            "0177.0.0.1",
                                            "0x7f.0.0.1",
                                            "2130706433",
                                            "1.2.3",
                                            "1.2.3.4.5",
                                            "1.2.3.256",
                                            ":",
                                            ":::",
                                            "1:2:3:4:5:6:7:8:9",
                                            "g::1",
                                            "8.8.8.8 "};

TEST(PublicAddress, KnowsWhatIsNotTheOpenInternet) {
  for (std::string open : kOpenAddresses) EXPECT_TRUE(is_public_address(open)) << open;
  for (std::string closed : kClosedAddresses) EXPECT_FALSE(is_public_address(closed)) << closed;
}

class FetchTool : public testing::Test {
 protected:
  FetchTool() {
    auto listening = http::Server::listen(
        loop_, {}, [this](const http::Request& request, std::shared_ptr<http::Responder> responder) {
          ++asked_;
          serve(request.target, *responder);
        });
    server_ = std::move(*listening);
  }
  ~FetchTool() override {
    server_.reset();
    loop_.stop();
  }
  void serve(const std::string& target, http::Responder& responder) {
    auto send = [&](const char* type, std::string body) {
      responder.send({200, {{"Content-Type", type}}, std::move(body)});
    };
    auto redirect = [&](std::string to) { responder.send({302, {{"Location", std::move(to)}}, ""}); };
    if (target == "/page")
      return send("text/html; charset=utf-8", "<title>T</title><p>Hello &amp; bye<script>x</script>");
    if (target == "/json") return send("application/json", R"({"a":1})");
    if (target == "/image") return send("image/png", "png");
    if (target == "/long") return send("text/plain", std::string(3000, 'x'));
    if (target == "/once") return redirect("/page");
    if (target == "/round") return redirect("/round");
    if (target == "/away") return redirect(fmt::format("http://other.test:{}/page", server_->port()));
    if (target == "/meta") return redirect("http://169.254.169.254/latest/meta-data/");
    if (target == "/inside") return redirect(fmt::format("http://inside.test:{}/page", server_->port()));
    if (target == "/file") return redirect("file:///etc/passwd");
    responder.send({404, {}, ""});
  }
  FetchConfig config() {
    FetchConfig out{.hosts = {{"site.test", true},
                              {"inside.test"},
                              {"169.254.169.254"},
                              {"127.0.0.1"},
                              {"*.wild.test", true}},
                    .text_bytes_max = 2000};
    // Every name leads to this machine.
    out.resolve = [](const std::string&, http::Found found) { found(std::vector<std::string>{"127.0.0.1"}); };
    return out;
  }
  ToolOutput fetch(Tool& tool, const std::string& url) { return *call(tool, dump_json(Json{{"url", url}})); }
  std::string url(const std::string& path, const std::string& host = "site.test") {
    return fmt::format("http://{}:{}{}", host, server_->port(), path);
  }

  std::atomic<int> asked_ = 0;
  http::Loop loop_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(FetchTool, ReadsPagesAsText) {
  auto tool = make_fetch_tool(config());
  auto page = *parse_json(fetch(*tool, url("/once")).text);
  EXPECT_EQ(get_string(page, "url"), url("/page"));
  EXPECT_EQ(get_string(page, "title"), "T");
  EXPECT_EQ(get_string(page, "text"), "Hello & bye");
  EXPECT_EQ(get_string(*parse_json(fetch(*tool, url("/json")).text), "text"), R"({"a":1})");
  auto cut = *parse_json(fetch(*tool, url("/long")).text);
  EXPECT_EQ(get_string(cut, "text").size(), 2000u);
  EXPECT_TRUE(get_bool(cut, "cut"));
  EXPECT_FALSE(fetch(*tool, url("/page", "a.wild.test")).is_error);
}

TEST_F(FetchTool, RefusesHostsAndAddressesThatAreNotAllowed) {
  auto tool = make_fetch_tool(config());
  for (const auto& bad :
       {url("/page", "other.test"), url("/page", "wild.test"), url("/page", "evilsite.test"),
        url("/page", "site.test.evil.test"), url("/page", "127.0.0.1"), url("/page", "inside.test"),
        std::string("http://169.254.169.254/latest/meta-data/"), url("/page", "localhost"),
        std::string("file:///etc/passwd"), url("/page", "2130706433")}) {
    auto out = fetch(*tool, bad);
    EXPECT_TRUE(out.is_error) << bad << out.text;
  }
  EXPECT_EQ(asked_, 0);
  // With the guard off the same address is reached.
  auto open = config();
  open.hosts = {{"inside.test", true}};
  EXPECT_FALSE(fetch(*make_fetch_tool(open), url("/page", "inside.test")).is_error);
}

TEST_F(FetchTool, JudgesEachRedirectAnew) {
  auto tool = make_fetch_tool(config());
  for (std::string path : {"/away", "/meta", "/inside", "/file"}) {
    asked_ = 0;
    EXPECT_TRUE(fetch(*tool, url(path)).is_error) << path;
    EXPECT_EQ(asked_, 1) << path;
  }
  asked_ = 0;
  EXPECT_TRUE(fetch(*tool, url("/round")).is_error);
  EXPECT_EQ(asked_, 6);
}

TEST_F(FetchTool, RefusesWhatIsNoTextOrTooMuchOrTooLate) {
  auto tool = make_fetch_tool(config());
  EXPECT_EQ(fetch(*tool, url("/image")).text, "The page is image/png, which is no text.");
  EXPECT_EQ(fetch(*tool, url("/none")).text, "The server answered 404.");
  auto small = config();
  small.body_bytes_max = 2999;
  EXPECT_TRUE(fetch(*make_fetch_tool(small), url("/long")).is_error);
  small.body_bytes_max = 3000;
  EXPECT_FALSE(fetch(*make_fetch_tool(small), url("/long")).is_error);
  auto late = config();
  late.resolve = [](const std::string&, http::Found) {};
  late.time_max = std::chrono::milliseconds(30);
  EXPECT_TRUE(fetch(*make_fetch_tool(late), url("/page")).is_error);
}

TEST_F(FetchTool, AnswersEveryCallEvenWhenItIsClosed) {
  auto never = config();
  never.resolve = [](const std::string&, http::Found) {};
  auto tool = make_fetch_tool(never);
  std::promise<Result<ToolOutput>> told;
  tool->call({}, {dump_json(Json{{"url", url("/page")}})},
             [&](Result<ToolOutput> out) { told.set_value(std::move(out)); });
  tool.reset();
  EXPECT_EQ(told.get_future().get().error().code, Errc::cancelled);
}

}  // namespace
}  // namespace troupe::tools
