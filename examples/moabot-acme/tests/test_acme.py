from moabot.testing import ProviderContract, StrategyContract


class TestAcme(ProviderContract):
    plugin = "moabot_acme"


class TestLongest(StrategyContract):
    plugin = "moabot_acme.longest"
