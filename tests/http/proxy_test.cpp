// Who is reached through a proxy, and what environments and lists mean.
#include "runtime/http/proxy.hpp"

#include "runtime/http/message_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace troupe::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ParseProxy, ReadsHostPortAndCredentials) {
  auto plain = parse_proxy("http://proxy.example:3128/");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "proxy.example");
  EXPECT_EQ(plain->port, 3128);
  EXPECT_EQ(plain->authorization, "");
  EXPECT_EQ(describe(*plain), "http://proxy.example:3128");
  EXPECT_EQ(parse_proxy("proxy:1")->host, "proxy");
  EXPECT_EQ(parse_proxy("HTTP://[::1]:8080")->host, "::1");
  EXPECT_EQ(describe(*parse_proxy("http://u:p@[::1]:8080")), "http://[::1]:8080");
  // RFC 7617 2: its own example, and one whose password holds what must be escaped.
  EXPECT_EQ(parse_proxy("http://Aladdin:open%20sesame@p:1")->authorization,
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(parse_proxy("http://a:b%40%3a@p:1")->authorization, "Basic YTpiQDo=");
  EXPECT_EQ(parse_proxy("http://a:b@c@p:1")->authorization, "Basic YTpiQGM=");
  EXPECT_EQ(parse_proxy("http://a:5%@p:1")->authorization, "Basic YTo1JQ==");
}

TEST(ParseProxy, RefusesWithoutQuotingWhatMayBeASecret) {
  for (std::string url : {"http://secret:word@proxy", "https://secret:word@proxy:1", "socks5://secret@p:1",
                          "http://secret@:1", "http://secret@p:0", "http://secret@p:70000", "secret",
                          "http://secret@p q:1", "http://secret@p:1/path", "http://secret@p:1x", ""}) {
    auto proxy = parse_proxy(url);
    ASSERT_FALSE(proxy) << url;
    EXPECT_EQ(proxy.error().code, Errc::bad_config);
    EXPECT_THAT(proxy.error().what, Not(HasSubstr("secret")));
  }
  EXPECT_FALSE(validate({.proxy = "nonsense"}));
  EXPECT_FALSE(validate({.plain_proxy = "nonsense"}));
  EXPECT_TRUE(validate({.proxy = "http://p:1", .plain_proxy = ""}));
  EXPECT_TRUE(validate({}));
}

TEST(NoProxy, CoversNamesAndWhatIsBeneathThem) {
  for (std::string list :
       {"example.com", ".example.com", "EXAMPLE.com.", "a, example.com ,b", "a example.com"}) {
    EXPECT_TRUE(bypasses_proxy(list, "example.com", 443)) << list;
    EXPECT_TRUE(bypasses_proxy(list, "api.Example.com", 443)) << list;
    EXPECT_FALSE(bypasses_proxy(list, "notexample.com", 443)) << list;
    EXPECT_FALSE(bypasses_proxy(list, "example.com.org", 443)) << list;
  }
  EXPECT_TRUE(bypasses_proxy("*", "anything", 1));
  for (std::string list : {"", ",", " ,. ,", ".", "*.example.com"})
    EXPECT_FALSE(bypasses_proxy(list, "api.example.com", 443)) << list;
}

TEST(NoProxy, CoversPortsAddressesAndNetworks) {
  EXPECT_TRUE(bypasses_proxy("example.com:8443", "example.com", 8443));
  EXPECT_FALSE(bypasses_proxy("example.com:8443", "example.com", 443));
  EXPECT_FALSE(bypasses_proxy("example.com:x", "example.com", 443));
  EXPECT_TRUE(bypasses_proxy("127.0.0.1", "127.0.0.1", 80));
  EXPECT_FALSE(bypasses_proxy("0.0.1", "127.0.0.1", 80));
  EXPECT_TRUE(bypasses_proxy("127.0.0.1:80", "127.0.0.1", 80));
  EXPECT_FALSE(bypasses_proxy("127.0.0.1:81", "127.0.0.1", 80));
  EXPECT_TRUE(bypasses_proxy("::1", "0:0:0:0:0:0:0:1", 80));
  EXPECT_TRUE(bypasses_proxy("[::1]:80", "::1", 80));
  EXPECT_FALSE(bypasses_proxy("[::1]:81", "::1", 80));
  EXPECT_TRUE(bypasses_proxy("10.0.0.0/8", "10.200.3.4", 80));
  EXPECT_FALSE(bypasses_proxy("10.0.0.0/8", "11.0.0.1", 80));
  EXPECT_TRUE(bypasses_proxy("169.254.169.254/32", "169.254.169.254", 80));
  EXPECT_FALSE(bypasses_proxy("169.254.169.254/32", "169.254.169.255", 80));
  EXPECT_TRUE(bypasses_proxy("10.0.0.9/0", "1.2.3.4", 80));
  EXPECT_TRUE(bypasses_proxy("2001:db8::/33", "2001:db8:7fff::1", 80));
  EXPECT_FALSE(bypasses_proxy("2001:db8::/33", "2001:db8:8000::1", 80));
  for (std::string list : {"10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/", "x/8", "::/0"})
    EXPECT_FALSE(bypasses_proxy(list, "10.0.0.0", 80)) << list;
}

TEST(ChooseProxy, KnowsSchemesApartAndProxiesLoopbackUnlessTold) {
  ClientConfig config{.proxy = "http://both:1"};
  Origin secure{true, "127.0.0.1", 443}, plain{false, "127.0.0.1", 80};
  EXPECT_EQ((*choose_proxy(config, secure))->host, "both");
  EXPECT_EQ((*choose_proxy(config, plain))->host, "both");
  config.plain_proxy = "http://plain:1";
  EXPECT_EQ((*choose_proxy(config, plain))->host, "plain");
  config.plain_proxy = "";
  EXPECT_FALSE(*choose_proxy(config, plain));
  config.no_proxy = "localhost,127.0.0.0/8";
  EXPECT_FALSE(*choose_proxy(config, secure));
  EXPECT_FALSE(choose_proxy({.proxy = "nonsense"}, secure));
  EXPECT_FALSE(*choose_proxy({}, secure));
}

ClientConfig environment_of(std::map<std::string, std::string> variables) {
  ClientConfig config;
  read_proxy_environment(config, [&](const char* name) -> std::optional<std::string> {
    auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
  return config;
}

TEST(ProxyEnvironment, LowerCaseComesFirst) {
  auto config = environment_of({{"HTTPS_PROXY", "http://a:1"},
                                {"https_proxy", "http://b:1"},
                                {"HTTP_PROXY", "http://c:1"},
                                {"NO_PROXY", "x"},
                                {"no_proxy", "y"}});
  EXPECT_EQ(config.proxy, "http://b:1");
  EXPECT_EQ(config.plain_proxy, "http://c:1");
  EXPECT_EQ(config.no_proxy, "y");
  auto none = environment_of({});
  EXPECT_EQ(none.proxy, "");
  EXPECT_EQ(none.plain_proxy, "");
  // Set and empty is set.
  EXPECT_EQ(environment_of({{"https_proxy", ""}, {"HTTPS_PROXY", "http://a:1"}}).proxy, "");
  // Plain origins are not sent through what is for https alone.
  EXPECT_EQ(environment_of({{"HTTPS_PROXY", "http://a:1"}}).plain_proxy, "");
}

TEST(ProxyEnvironment, ACgiRequestCannotSetTheProxy) {
  std::map<std::string, std::string> variables{{"HTTP_PROXY", "http://evil:1"}, {"REQUEST_METHOD", "GET"}};
  EXPECT_EQ(environment_of(variables).plain_proxy, "");
  variables["http_proxy"] = "http://good:1";
  EXPECT_EQ(environment_of(variables).plain_proxy, "http://good:1");
}

TEST(ProxyText, WritesConnectAndAbsoluteForm) {
  EXPECT_EQ(*connect_text({true, "h.example", 443}, ""),
            "CONNECT h.example:443 HTTP/1.1\r\nHost: h.example:443\r\n\r\n");
  EXPECT_EQ(*connect_text({true, "::1", 8443}, "Basic eA=="),
            "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\nProxy-Authorization: Basic eA==\r\n\r\n");
  EXPECT_FALSE(connect_text({true, "h\r\nX: y", 443}, ""));
  EXPECT_FALSE(connect_text({true, "", 443}, ""));
  Request request{"GET", "/a?b=c", {}, ""};
  EXPECT_EQ(*request_text({false, "h", 8080}, request, {true, "Basic eA=="}),
            "GET http://h:8080/a?b=c HTTP/1.1\r\nHost: h:8080\r\nProxy-Authorization: Basic eA==\r\n\r\n");
  request.headers = {{"Host", "signed"}};
  EXPECT_FALSE(request_text({false, "h i", 80}, request, {.absolute = true}));
}

}  // namespace
}  // namespace troupe::http
