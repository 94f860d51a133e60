"""To Bitbucket and back."""

from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView

from tenants.sign_in.provider import BitbucketAdapter

oauth_login = OAuth2LoginView.adapter_view(BitbucketAdapter)
oauth_callback = OAuth2CallbackView.adapter_view(BitbucketAdapter)
