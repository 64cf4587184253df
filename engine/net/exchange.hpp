// One request and its answer: resolve, connect, handshake, write, read, follow; bounded by one timer. On the thread that runs the io_context.
// A kept connection that breaks before it answered anything is replaced by a new one, once, for requests that may happen twice.
#pragma once

#include "net/connection_pool.hpp"
#include "net/wire.hpp"

#include <array>

namespace pawl::net {

class exchange : public std::enable_shared_from_this<exchange> {
public:
    exchange(boost::asio::io_context& context, connection_pool& pool, http_request request, http_client::handler done);

    void run();
    void cancel(std::string_view why);

private:
    void start(std::string url);
    void connect();
    void connected();
    void send();
    void read();
    void took(parse_status status);
    void finish_response();
    void after_interim();
    void end(result<http_response> r);
    void fail(std::string_view doing, boost::system::error_code e);
    /// Who does not answer, for messages.
    std::string peer() const;

    connection_pool& pool_;
    http_request request_;
    http_client::handler done_;
    url_parts url_;
    endpoint_choice where_;
    boost::asio::ip::tcp::resolver resolver_;
    boost::asio::steady_timer timer_;
    std::unique_ptr<byte_stream> stream_;
    std::unique_ptr<response_reader> reader_;
    std::string out_;
    std::string in_;
    std::array<char, 16 * 1024> chunk_{};
    unsigned redirects_ = 0;
    unsigned interim_ = 0;
    static constexpr unsigned most_interim = 20;
    bool reused_ = false;
    bool ended_ = false;
};

}  // namespace pawl::net
