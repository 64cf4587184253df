// A connection as bytes: plain TCP or TLS behind one interface, so that protocol code is compiled once and knows neither.
// Everything on the thread that runs the io_context. One read and one write at a time. Handlers are dropped when the stream is destroyed after close().
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <functional>
#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace pawl::net {

class byte_stream {
public:
    using done = std::function<void(boost::system::error_code)>;
    using transferred = std::function<void(boost::system::error_code, std::size_t)>;

    virtual ~byte_stream() = default;
    virtual boost::asio::ip::tcp::socket& socket() = 0;
    /// TLS handshake; a plain stream is done at once. `host` is for SNI and the certificate check; empty on the server's side.
    virtual void handshake(const std::string& host, done on_done) = 0;
    virtual void read_some(boost::asio::mutable_buffer into, transferred on_done) = 0;
    virtual void write(boost::asio::const_buffer all, done on_done) = 0;
    /// Why the peer's certificate was refused; empty when it was not.
    virtual std::string certificate_error() const { return {}; }

    void close() noexcept {
        boost::system::error_code ignored;
        socket().shutdown(boost::asio::ip::tcp::socket::shutdown_both, ignored);
        socket().close(ignored);
    }
};

std::unique_ptr<byte_stream> make_plain_stream(boost::asio::ip::tcp::socket socket);
std::unique_ptr<byte_stream> make_tls_stream(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& context);

}  // namespace pawl::net
