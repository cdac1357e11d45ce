"""A service that hears every message of a chat."""

from nameko_salesforce.bayeux import subscribe


class Chat:
    name = 'chat'

    @subscribe('/chat/**')
    def hear(self, channel, data):
        print(f'{data["who"]} in {channel}: {data["text"]}', flush=True)
