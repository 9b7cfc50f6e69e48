# Works with the shop as programs do that use Active Record.
#
# DATABASE_URL=... activerecord.rb loop|fixed CLIENTS REQUESTS
require "active_record"

# Has orders.
class User < ActiveRecord::Base
  has_many :orders
  validates :email, uniqueness: true
end

# Is one user's.
class Order < ActiveRecord::Base
  belongs_to :user
end

# Compares what came with what belongs to a user.
def check(user_id, email)
  raise "user #{user_id}: got #{email}" if email != "#{user_id}@example.com"
end

# Shows a page of users with their orders, and looks whether ten addresses are taken, as it
# does in front of each INSERT.
def users(after, fixed)
  page = User.where("id > ?", after).order(:id).limit(20)
  page = page.includes(:orders) if fixed
  page.each { |user| user.orders.each { |order| check(order.user_id, user.email) } }
  10.times { |i| User.new(name: "new", email: "#{after + i}@example.org").valid? }
end

# Shows a page of orders with their users.
def orders(after, fixed)
  page = Order.where("id > ?", after).order(:id).limit(20)
  page = page.includes(:user) if fixed
  page.each { |order| check(order.user_id, order.user.email) }
end

# Is the life of one client, with a connection of its own: one request after another
# without a pause.
def work(number, requests, fixed)
  ActiveRecord::Base.connection_pool.with_connection do |connection|
    before = connection.select_value("SELECT min(id) FROM accounts") - 1
    requests.times do |i|
      at = number * 131 + i * 37
      users(before + at % 480, fixed)
      orders(before + at % 2480, fixed)
    end
  end
end

variant, clients, requests = ARGV
abort "usage: loop|fixed CLIENTS REQUESTS" unless %w[loop fixed].include?(variant)
ActiveRecord::Base.establish_connection(
  url: ENV.fetch("DATABASE_URL"), pool: clients.to_i, checkout_timeout: 60
)
Thread.report_on_exception = false
threads = clients.to_i.times.map { |number| Thread.new { work(number, requests.to_i, variant == "fixed") } }
threads.each(&:join)
ActiveRecord::Base.connection_pool.disconnect!
