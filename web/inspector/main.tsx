/** The page /inspector. It is in English alone. */

import { render } from 'preact';
import { arrive } from '../shared/entrance.ts';
import { language } from '../shared/language.ts';
import '../shared/look.ts';
import { App } from './app.tsx';
import './inspector.css';

language.set('en');
arrive();
render(<App />, document.getElementById('app') as HTMLElement);
