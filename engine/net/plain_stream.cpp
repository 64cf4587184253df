#include "net/stream.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace pawl::net {
namespace {

class plain_stream final : public byte_stream {
public:
    explicit plain_stream(boost::asio::ip::tcp::socket s) : socket_(std::move(s)) {}

    boost::asio::ip::tcp::socket& socket() override { return socket_; }
    void handshake(const std::string&, done on_done) override {
        boost::asio::post(socket_.get_executor(), [on_done = std::move(on_done)] { on_done({}); });
    }
    void read_some(boost::asio::mutable_buffer into, transferred on_done) override { socket_.async_read_some(into, std::move(on_done)); }
    void write(boost::asio::const_buffer all, done on_done) override {
        boost::asio::async_write(socket_, boost::asio::buffer(all), [on_done = std::move(on_done)](boost::system::error_code e, std::size_t) { on_done(e); });
    }

private:
    boost::asio::ip::tcp::socket socket_;
};

}  // namespace

std::unique_ptr<byte_stream> make_plain_stream(boost::asio::ip::tcp::socket socket) { return std::make_unique<plain_stream>(std::move(socket)); }

}  // namespace pawl::net
